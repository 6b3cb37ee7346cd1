"""Coverage of calibrated intervals on generated cities: one small network, and many cities to calibrate and to test on.

The network is trained on one city. In each other city it is calibrated on the validation tiles, at least 100 cells, and
scored on the test tiles, by the commands that users have. The mean over cities is to be near the level: a single city
varies, as its calibration has finitely many cells. Ends with exit code 1 where the mean is not within 2 points.

    python benchmarks/coverage.py [--cities 20] [--json FILE]
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import yaml
from record import save

ROOT = Path(__file__).parents[1]
SPLITS = {
    "train": [f"city_{number}" for number in range(1, 5)],
    "val": [f"city_{number}" for number in range(5, 13)],
    "test": [f"city_{number}" for number in range(13, 17)],
}
GSD, SIZE = 1.0, 256
"""Metres per pixel and pixels of a tile: 16 calibration cells of 64 m each."""
CONFIG: dict[str, Any] = {
    "methods": {"equal": {"model": "tiny"}},
    "models": {
        "tiny": {
            **{"name": "d3net", "stem": 8, "growth": 4, "blocks": [1, 1, 1, 1], "bottleneck": 1, "dropout": 0.1},
            **{"shared": [8, 8, 8], "head": [8, 8]},
        }
    },
    "training": {
        **{"patch": 64, "batch": 8, "epochs": 4, "epoch_patches": 400, "learning_rate": 3.0e-3, "selection": "last"},
        **{"class_weights": "none", "accelerator": "cpu", "threads": 1},
    },
}
PREDICTORS: dict[str, dict[str, Any]] = {"single": {}, "dropout": {"dropout_passes": 4}}
WINDOWS = {"window": 256, "stride": 256, "activation": "softmax"}
LEVEL = "90 %"
TOLERATED = 0.02


def main() -> int:
    """Measure every predictor and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cities", type=int, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        runs = {name: trained(Path(folder), name) for name in PREDICTORS}
        rows = [coverages(Path(folder), runs, seed) for seed in range(1, options.cities + 1)]
    summary = [summarised(name, [row[name] for row in rows]) for name in PREDICTORS]
    save(options.json, "coverage", summary, cities=rows)
    return int(any(abs(row["mean"] - 0.9) > TOLERATED for row in summary))


def city(folder: Path, seed: int) -> tuple[Path, Path]:
    """Generate a city, and return its specification and its folder."""
    from mtlaerial.datasets.catalog import Dataset
    from mtlaerial.synthetic.generate import synthesise

    spec = folder / "city.yaml"
    if not spec.exists():
        described = yaml.safe_load((ROOT / "config" / "datasets" / "city.yaml").read_text())
        spec.write_text(yaml.safe_dump({**described, "gsd": GSD, "splits": SPLITS}))
    root = folder / f"city{seed}"
    if not root.exists():
        synthesise(Dataset.of(spec, root), seed=seed, size=SIZE)
    return spec, root


def trained(folder: Path, name: str) -> Path:
    """Train the network of a predictor on the first city, with the predictor's settings; return the run's folder."""
    from mtlaerial.pipeline.single_run import SingleRun, train_single

    spec, root = city(folder, 0)
    overlay, run = folder / f"{name}.yaml", folder / name
    overlay.write_text(yaml.safe_dump({**CONFIG, "prediction": {**WINDOWS, **PREDICTORS[name]}}))
    train_single(SingleRun(spec, root, run, [ROOT / "config" / "config.yaml", overlay], tiles=folder / "tiles0"))
    return run


def coverages(folder: Path, runs: Mapping[str, Path], seed: int) -> dict[str, dict[str, float]]:
    """Calibrate and score each run on a city; return calibration cells, coverage and width by predictor."""
    from mtlaerial.pipeline.calibrate_command import calibrate_on
    from mtlaerial.pipeline.score_runs import score_runs
    from mtlaerial.scoring.uncertainty import uncertainty_scores

    spec, root = city(folder, seed)
    results = {}
    for name, run in runs.items():
        calibration = calibrate_on(run, spec, root, tiles=folder / f"tiles{seed}")
        (scores,) = score_runs([run], spec, root, folder / f"{name}{seed}", tiles=folder / f"tiles{seed}")
        values = {(group, score): value for group, score, value in uncertainty_scores(scores.uncertainty())}
        overall = {key: values["overall", f"{key} {LEVEL}"] for key in ("coverage", "width")}
        heights = calibration.heights["height"]
        cells = max(row[-1] for row in heights.units) + heights.scale.cells
        results[name] = {"cells": cells, "scaled": heights.scale.kind == "deviation", **overall}
        print(f"city {seed}, {name}: {overall['coverage']:.3f}, {overall['width']:.2f} m", flush=True)
    return results


def summarised(name: str, rows: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Return and print mean and deviation over the cities."""
    coverage, width = (np.array([row[key] for row in rows]) for key in ("coverage", "width"))
    cells, scaled = min(row["cells"] for row in rows), sum(row["scaled"] for row in rows)
    error = coverage.std(ddof=1) / len(rows) ** 0.5
    text = f"{name}: {100 * coverage.mean():.1f} % covered (standard error {100 * error:.1f}), in single cities"
    print(f"{text} {100 * coverage.min():.1f} to {100 * coverage.max():.1f} %; width {width.mean():.2f} m;", end=" ")
    print(f"at least {cells:.0f} cells; scaled by the deviation in {scaled:.0f} of {len(rows)}", flush=True)
    return {
        "predictor": name,
        "mean": float(coverage.mean()),
        "error": float(error),
        "lowest": float(coverage.min()),
        "highest": float(coverage.max()),
        "width": float(width.mean()),
        "least_cells": int(cells),
        "scaled": int(scaled),
    }


if __name__ == "__main__":
    sys.exit(main())
