"""The paper's network at its full size: seconds of a training step by weighting, and of a map of 2048 x 2048 pixels.

Each measurement runs in a process of its own. Data are generated; the network begins at random.

    python benchmarks/full_network.py [--batch 6] [--steps 3] [--weightings equal mgda ...] [--crop 2048] [--json FILE]
"""

import argparse
import json
import platform
import resource
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from predict_memory import alone, write_image, write_run

PATCH = 320
WINDOW, STRIDE = 1024, 256
WEIGHTINGS = ["equal", "feature_normalisation", "mgda_ub", "gradnorm", "mgda", "gradient_penalty"]


def main() -> None:
    """Measure and print, each line as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--weightings", nargs="*", default=WEIGHTINGS)
    parser.add_argument("--crop", type=int, default=2048, help="side of the map in pixels; 0 for none")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for name in options.weightings:
        row = apart(training_step, name, options.batch, options.steps)
        row["ratio"] = row["seconds"] / rows[0]["seconds"] if rows else 1.0
        rows.append(row)
        compared = f"{row['ratio']:.2f} x {rows[0]['name']}"
        memory = f"{row['above_rest_mb']:.0f} MB above rest"
        print(f"step, batch {options.batch}, {name}: {row['seconds']:.2f} s ({compared}), {memory}", flush=True)
    if options.crop:
        rows.append(apart(prediction, options.crop))
        row = rows[-1]
        print(f"{row['name']}: {row['seconds']:.0f} s for {row['windows']} windows, "
              f"{row['above_rest_mb']:.0f} MB above rest", flush=True)  # fmt: skip
    if options.json:
        made = {"machine": platform.platform(), "torch": version("torch"), "rows": rows}
        options.json.write_text(json.dumps(made, indent=1), encoding="utf-8")


def apart(measure: Any, *arguments: Any) -> dict[str, Any]:
    """Run a measurement in a new process and a temporary folder."""
    with tempfile.TemporaryDirectory() as folder, alone() as pool:
        return dict(pool.submit(measure, Path(folder), *arguments).result())


def training_step(folder: Path, name: str, batch: int, steps: int) -> dict[str, Any]:
    """Return the median seconds of a step of the paper's recipe, after one to warm up."""
    from mtlaerial.config import TrainingSpec, WeightingSpec, load_dataset
    from mtlaerial.config.recipe import TASKS, ModelSpec
    from mtlaerial.datasets.catalog import Dataset
    from mtlaerial.datasets.synthetic import synthesise
    from mtlaerial.runs import RunPlan
    from mtlaerial.statistics import summarise
    from mtlaerial.tiling import prepare_tile
    from mtlaerial.trainer import Trainer

    spec = load_dataset(Path("config/datasets/city.yaml"))
    tile = spec.splits["train"][0]
    dataset = Dataset("city", spec.model_copy(update={"splits": {"train": (tile,)}}), folder / "raw")
    synthesise(dataset, seed=0, size=1024)
    prepare_tile(dataset, tile, folder / tile)
    training = TrainingSpec(patch=PATCH, batch=batch, accelerator="cpu")
    weighting = WeightingSpec(name=name)  # type: ignore[arg-type]  # pydantic checks it
    plan = RunPlan(
        dataset="city", method=name, seed=0, tasks=TASKS, weighting=weighting, model=ModelSpec(), training=training
    )
    trainer = Trainer(plan, summarise(dataset, [folder / tile]), [folder / tile], [])
    rest = psutil.Process().memory_info().rss
    trainer.network.train()
    times = []
    for step in range(steps + 1):
        begun = time.perf_counter()
        trainer._step(step)
        times.append(time.perf_counter() - begun)
    return {"name": name, "batch": batch, "seconds": statistics.median(times[1:]), "above_rest_mb": peak_above(rest)}


def prediction(folder: Path, crop: int) -> dict[str, Any]:
    """Return the seconds of a map with the paper's windows and blending."""
    from mtlaerial.blending import starts
    from mtlaerial.config import PredictionSpec
    from mtlaerial.prediction import Predictor

    write_image(folder / "image.tif", crop)
    write_run(folder / "run", dropout=0.5)
    predictor = Predictor(folder / "run", PredictionSpec(window=WINDOW, stride=STRIDE, activation="sigmoid"))
    rest = psutil.Process().memory_info().rss
    begun = time.perf_counter()
    predictor.predict_image(folder / "image.tif", folder / "maps")
    seconds = time.perf_counter() - begun
    windows = len(starts(crop, WINDOW, STRIDE)) ** 2
    return {
        "name": f"map of {crop} x {crop} px",
        "windows": windows,
        "seconds": seconds,
        "above_rest_mb": peak_above(rest),
    }


def peak_above(rest: int) -> float:
    """Return by how many megabytes the process's peak exceeds its memory at rest, given in bytes."""
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - rest) / 2**20


if __name__ == "__main__":
    main()
