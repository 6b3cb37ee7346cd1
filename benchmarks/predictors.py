"""Time and peak memory of each predictor on one generated raster, beside a plain prediction by the same network.

Each predictor runs in a process of its own. Networks are small and untrained. Ends with exit code 1 where a predictor
needs more than 1.7 times the memory of `single` beside the weights of its networks: all of them stream.

    python benchmarks/predictors.py [--size 2048] [--json FILE]
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from apart import Watch, apart
from predict_memory import SMALL, write_image, write_run
from record import save

WINDOWS = {"window": 512, "stride": 256, "activation": "softmax"}
"""Of config/recipes/compact.yaml."""
MOST = 1.7
"""Memory above that of the loaded networks at rest, relative to that of `single`. A window that is enlarged by 1.25 has
1.56 times as many pixels, and so values in the network."""
PREDICTORS: dict[str, dict[str, Any]] = {
    "single": {},
    "overlap": {"spread": ["overlap"]},
    "head": {"spread": ["head"]},
    "dropout, 10 passes": {"dropout_passes": 10},
    "tta, three scales": {"views": ["scales"], "spread": ["samples"]},
    "ensemble of two": {"spread": ["samples"]},
}


def main() -> int:
    """Measure every predictor and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for name in PREDICTORS:
        row = {"predictor": name, **apart(measure, name, options.size)}
        first = rows[0] if rows else row
        row |= {"time_ratio": row["seconds"] / first["seconds"], "memory_ratio": row["peak_mb"] / first["peak_mb"]}
        rows.append(row)
        memory = f"{row['peak_mb']:.0f} MB above rest, {row['memory_ratio']:.2f} x"
        speed = f"{row['seconds_per_mpixel']:.2f} s per Mpixel, {row['time_ratio']:.2f} x"
        print(f"{name}: {speed}; {memory}", flush=True)
    save(options.json, "predictors", rows, size=options.size, windows=WINDOWS)
    large = [row["predictor"] for row in rows if row["memory_ratio"] > MOST]
    if large:
        print(f"more than {MOST} x the memory of {rows[0]['predictor']}: {', '.join(large)}", file=sys.stderr)
    return int(bool(large))


def measure(folder: Path, name: str, size: int) -> dict[str, Any]:
    """Predict a generated image of ``size`` x ``size`` pixels; memory in megabytes."""
    from mtlaerial.config import PredictionSpec
    from mtlaerial.prediction.predictor import Predictor

    write_image(folder / "image.tif", size)
    run = write_networks(folder, name)
    predictor = Predictor(run, PredictionSpec.parse({**WINDOWS, **PREDICTORS[name]}, "prediction"))
    watch, begun = Watch(), time.perf_counter()
    predictor.predict_image(folder / "image.tif", folder / "maps")
    seconds = time.perf_counter() - begun
    return {
        "seconds": seconds,
        "seconds_per_mpixel": seconds / (size**2 / 1e6),
        "rest_mb": watch.rest_mb,
        "peak_mb": watch.above_rest_mb,
    }


def write_networks(folder: Path, name: str) -> Path:
    """Write the untrained networks of a predictor, and return the folder of the run or the ensemble."""
    from mtlaerial.runs.ensemble import make_ensemble

    head = {"height_head": "laplace", "height_loss": "likelihood"} if name == "head" else {}
    members = [folder / f"run{index}" for index in range(2 if name.startswith("ensemble") else 1)]
    for member in members:
        write_run(member, training=head, **{**SMALL, "dropout": 0.1})
    if len(members) == 1:
        return members[0]
    make_ensemble(members, folder / "ensemble")
    return folder / "ensemble"


if __name__ == "__main__":
    sys.exit(main())
