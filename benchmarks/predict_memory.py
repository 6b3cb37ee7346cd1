"""Peak memory of predicting images of growing size, above that of the loaded run at rest.

Each size runs in a separate process. The image is generated (one rendered town tile, repeated), the network small and
untrained: memory does not depend on the weights.

    python benchmarks/predict_memory.py [--sizes 2048 8192 20000] [--json FILE]
"""

import argparse
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from apart import Watch, alone
from rasterio.windows import Window
from record import save

CLASSES = 6
BLOCK = 1024
SMALL: dict[str, Any] = {
    "stem": 16,
    "growth": 8,
    "blocks": (2, 2, 2, 2),
    "bottleneck": 2,
    "shared": (32, 24, 16),
    "head": (8, 8),
    "dropout": 0,
}
"""Sizes of a small D3Net."""
NO_KEYS: Mapping[str, Any] = {}


def main() -> None:
    """Measure every size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[2048, 8192, 20000])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder, alone() as pool:
            rows.append(pool.submit(measure, size, Path(folder)).result())
        row = rows[-1]
        row["ratio"] = row["above_rest_mb"] / rows[0]["above_rest_mb"]
        memory = f"{row['above_rest_mb']:.0f} MB above the {row['rest_mb']:.0f} MB at rest"
        speed = f"{row['mpixel_per_second']:.2f} Mpixel/s"
        print(f"{size} px squared: {memory}, {row['ratio']:.2f} x that of {rows[0]['size']} px; {speed}", flush=True)
    save(options.json, "predict_memory", rows)


def measure(size: int, folder: Path) -> dict[str, Any]:
    """Predict a generated image of ``size`` x ``size`` pixels; memory in megabytes."""
    from mtlaerial.config import PredictionSpec
    from mtlaerial.prediction.predictor import Predictor

    image = folder / "image.tif"
    write_image(image, size)
    write_run(folder / "run")
    predictor = Predictor(folder / "run", PredictionSpec.fitted())
    watch = Watch()
    begun = time.perf_counter()
    predictor.predict_image(image, folder / "maps")
    seconds = time.perf_counter() - begun
    return {
        "size": size,
        "rest_mb": watch.rest_mb,
        "above_rest_mb": watch.above_rest_mb,
        "mpixel_per_second": size**2 / 1e6 / seconds,
    }


def write_image(path: Path, size: int, gsd: float = 0.5) -> None:
    """Write a generated image, block by block."""
    from mtlaerial.synthetic.city import STYLES, render

    view = render(STYLES["grid"], 0, 0, 0, BLOCK, BLOCK, gsd)
    colours = (np.clip(view.colour[..., :3], 0, 1) * 255).astype(np.uint8).transpose(2, 0, 1)
    profile = {"driver": "GTiff", "width": size, "height": size, "count": 3, "dtype": "uint8", "tiled": True}
    place = {"crs": "EPSG:32631", "transform": Affine(gsd, 0, 500000, 0, -gsd, 5400000)}
    with rasterio.open(path, "w", compress="zstd", BIGTIFF="IF_SAFER", **profile, **place) as out:
        for row in range(0, size, BLOCK):
            for column in range(0, size, BLOCK):
                rows, columns = min(BLOCK, size - row), min(BLOCK, size - column)
                out.write(colours[:, :rows, :columns], window=Window(column, row, columns, rows))


def write_run(
    folder: Path, gsd: float = 0.5, accelerator: str = "cpu", training: Mapping[str, Any] = NO_KEYS, **sizes: Any
) -> None:
    """Write an untrained run with 6 classes and height, some keys of its training; by default of a small network."""
    from mtlaerial.config import D3NetSpec, TrainingSpec, WeightingSpec
    from mtlaerial.models import build_model
    from mtlaerial.runs.code_hash import code_hash
    from mtlaerial.runs.plan import RunPlan, task_outputs
    from mtlaerial.runs.run import save_description
    from mtlaerial.runs.weights import Provenance, save_run_weights
    from mtlaerial.tiles.statistics import BandStatistics, ClassStatistics, HeightStatistics, Statistics

    model_spec = D3NetSpec(**(sizes or SMALL))
    training_spec = TrainingSpec.parse({"patch": 256, "accelerator": accelerator, **training}, "training")
    tasks = ("semantics", "height")
    plan = RunPlan(
        dataset="generated", method="both", seed=0, tasks=tasks, weighting=WeightingSpec(), model=model_spec,
        training=training_spec,
    )  # fmt: skip
    bands = tuple(
        BandStatistics(name=name, index=index, mean=0, std=1)
        for index, name in enumerate(("red", "green", "blue"), start=1)
    )
    classes = tuple(ClassStatistics(name=f"class {i}", colour=(i, i, i), pixels=1) for i in range(CLASSES))
    statistics = Statistics(
        dataset="generated",
        title="Generated",
        generated=True,
        licence="MIT",
        citation="",
        gsd=gsd,
        dtype="uint8",
        range=(0, 255),
        bands=bands,
        classes=classes,
        height=HeightStatistics(cells=1, mean=0, std=1, median=0, minimum=0, maximum=1),
        zero_height=True,
        tiles={},
    )
    model = build_model(model_spec, 3, task_outputs(plan, statistics))
    save_run_weights(folder, Provenance(code=code_hash(), epoch=1), model.state_dict(), {})
    save_description(folder, plan, statistics)


if __name__ == "__main__":
    main()
