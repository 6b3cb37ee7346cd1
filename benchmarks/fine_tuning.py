"""Worth of a run to start from: the same network and recipe, fine-tuned from a run and from random weights.

A generated town is learned that has other classes than the run and a band more, near infrared, in a hundred updates.
All else is equal: tiles, recipe, seed, and so the patches that are drawn. Scores are those of a tile that is not
trained on, after the last update.

    python benchmarks/fine_tuning.py [--run town] [--updates 100] [--seeds 0 1 2]
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pandas as pd
from record import save

from mtlaerial.config import DatasetSpec, TrainingSpec, WeightingSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.run import load_description
from mtlaerial.runs.shipped import find_run
from mtlaerial.synthetic.generate import synthesise
from mtlaerial.tiles.measure import summarise
from mtlaerial.tiles.prepare import prepare_tile
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.job import TrainingJob
from mtlaerial.training.train import train

SIZE = 256
"""Side of a tile in pixels."""
CLASSES = ("road", "building", "grass", "tree", "car", "water")
"""Three of them are not among those of the shipped run."""
BANDS = ("red", "green", "blue", "nir")
STARTS: dict[str, Any] = {"run": {"parts": "all", "new_bands": {"nir": "mean"}}, "random": None}
SCORES = {"val_mIoU": "mIoU", "val_MAE": "MAE in m"}
"""Columns of the history."""
PATCH, BATCH = 96, 4


class Town(NamedTuple):
    """A generated town, prepared."""

    statistics: Statistics
    training: tuple[Path, ...]
    validation: tuple[Path, ...]


def main() -> None:
    """Train from both starts with each seed, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=Path("town"), help="the run to start from")
    parser.add_argument("--updates", type=int, default=100)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    with TemporaryDirectory(prefix="mtlaerial-") as name:
        folder, run = Path(name), find_run(options.run)
        town = generated_town(folder)
        for seed in options.seeds:
            for start in STARTS:
                scores = fine_tuned(run, town, start, seed, options.updates, folder / f"{start}{seed}", options.threads)
                rows.append({"start": start, "seed": seed, **scores})
                shown = ", ".join(f"{title} {scores[key]:.3g}" for key, title in SCORES.items())
                print(f"{start}, seed {seed}: {shown}", flush=True)
    print("\n" + table(rows))
    save(options.json, "fine_tuning", rows, run=str(options.run), updates=options.updates)


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows of docs/pretrained.md: mean and, in brackets, range over the seeds."""
    lines = ["| start | mIoU (%) | MAE (m) |", "|---|---|---|"]
    for start, title in (("run", "shipped run"), ("random", "random weights")):
        cells = []
        for key, factor, digits in (("val_mIoU", 100, 1), ("val_MAE", 1, 2)):
            values = [factor * row[key] for row in rows if row["start"] == start]
            low, mean, high = (f"{value:.{digits}f}" for value in (min(values), fmean(values), max(values)))
            cells.append(f"{mean} ({low}–{high})")
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def generated_town(folder: Path) -> Town:
    """Generate a town and prepare its tiles."""
    tiles = {"train": ["town_1", "town_2"], "val": ["town_3"]}
    labels = [{"name": label, "values": [code], "colour": "#808080"} for code, label in enumerate(CLASSES, 1)]
    entries = {
        "title": "Generated town", "licence": "MIT", "obtain": "Generated.", "generated": True,
        "crs": "EPSG:32631", "gsd": 0.3,
        "image": {"files": "images/{tile}.tif", "bands": [1, 2, 3, 4], "band_names": list(BANDS)},
        "height": {"files": "height/{tile}.tif", "nodata": -9999},
        "labels": {"files": "labels/{tile}.tif", "ignore": [0], "classes": labels},
        "splits": tiles,
    }  # fmt: skip
    dataset = Dataset("generated_town", DatasetSpec.parse(entries, "town"), folder / "town")
    synthesise(dataset, seed=5, size=SIZE, ground_truth_gsd={"height": 0.6})
    for tile in dataset.spec.tiles:
        prepare_tile(dataset, tile, folder / tile)
    training, validation = (tuple(folder / tile for tile in names) for names in tiles.values())
    return Town(summarise(dataset, list(training)), training, validation)


def fine_tuned(
    run: Path, town: Town, start: str, seed: int, updates: int, folder: Path, threads: int = 1
) -> dict[str, float]:
    """Train the run's network from a start of ``STARTS``, and return its scores on the validation tile."""
    description = load_description(run)
    section = STARTS[start]
    pretrained = "none" if section is None else {"source": str(run), **section}
    model = description.plan.model.model_dump(mode="json")
    recipe = {
        "patch": PATCH, "batch": BATCH, "epochs": 1, "epoch_patches": updates * BATCH, "learning_rate": 1e-3,
        "betas": [0.9, 0.99], "weight_decay": 0.01, "schedule": "warmup_cosine", "accelerator": "cpu",
        "threads": threads, "height_unit": 5, "height_mean": "known", "selection": "last",
        "augmentation": {"flip": False, "rotation": 0},
    }  # fmt: skip
    plan = RunPlan(
        dataset="generated_town",
        method=start,
        seed=seed,
        tasks=("semantics", "height"),
        weighting=WeightingSpec(),
        model=type(description.plan.model).parse({**model, "pretrained": pretrained}, "model"),
        training=TrainingSpec.parse(recipe, "training"),
    )
    train(
        TrainingJob(
            plan=plan,
            statistics=town.statistics,
            training_tiles=town.training,
            validation_tiles=town.validation,
            folder=folder,
            pretrained=None if section is None else run,
        )
    )
    last = pd.read_csv(folder / "history.csv").iloc[-1]
    scores = {key: float(last[key]) for key in SCORES}
    assert all(math.isfinite(score) for score in scores.values())
    return scores


if __name__ == "__main__":
    main()
