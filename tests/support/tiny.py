"""Tiny test objects: a data set, a network, a plan, rasters written in a line."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import rasterio
import yaml
from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning

from mtlaerial.config import D3NetSpec, TrainingSpec, WeightingSpec, load_dataset, merge
from mtlaerial.config.dataset import DatasetSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.runs.plan import RunPlan
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.job import TrainingJob

Folders = dict[str, list[Path]]
"""Folders of prepared tiles by split."""
CONFIG = Path(__file__).parents[2] / "config"
SIZE = 96
"""Side of a tile in pixels of 0.5 m; heights have cells of 1 m."""
SPLITS = {"train": ["city_1", "city_2"], "val": ["city_3"], "test": ["city_4"]}
UTM = CRS.from_epsg(32631)
WEST, NORTH = 500_000.0, 5_000_000.0
MODEL = {
    "stem": 8,
    "growth": 4,
    "blocks": [1, 1, 1, 1],
    "bottleneck": 2,
    "shared": [12, 8, 8],
    "head": [8, 8],
    "dropout": 0.1,
}
TRAINING = {
    "patch": 32,
    "batch": 2,
    "epochs": 3,
    "epoch_patches": 4,
    "learning_rate": 1e-3,
    "accelerator": "cpu",
    "threads": 1,
    "height_unit": 5,
    "selection": "last",
}


def city_spec(**changes: Any) -> DatasetSpec:
    """Return the generated city's specification, with four tiles and any changes."""
    spec = load_dataset(CONFIG / "datasets" / "city.yaml").model_dump(mode="json", exclude={"splits"})
    return DatasetSpec.parse({**spec, "splits": SPLITS, **changes}, "city")


def write_spec(dataset: Dataset, path: Path, **changes: Any) -> Path:
    """Write the specification of a data set with changes."""
    data = dataset.spec.model_dump(mode="json", exclude_none=True)
    for key, value in changes.items():
        data[key] = {**data[key], **value} if isinstance(value, dict) else value
    path.write_text(yaml.safe_dump(data))
    return path


def model_spec(**changes: Any) -> D3NetSpec:
    return D3NetSpec.parse({**MODEL, **changes}, "model")


def training_spec(**changes: Any) -> TrainingSpec:
    return TrainingSpec.parse(merge(TRAINING, changes), "training")


def run_plan(
    tasks: tuple[str, ...] = ("semantics", "height"),
    seed: int = 0,
    weighting: dict[str, Any] | None = None,
    **training: Any,
) -> RunPlan:
    return RunPlan(
        dataset="city",
        method="equal",
        seed=seed,
        tasks=tasks,
        weighting=WeightingSpec.parse(weighting or {}, "weighting"),
        model=model_spec(),
        training=training_spec(**training),
    )


def job(
    plan: RunPlan,
    statistics: Statistics,
    training_tiles: Sequence[Path],
    validation_tiles: Sequence[Path] = (),
    folder: Path = Path("unused"),
    **others: Any,
) -> TrainingJob:
    tiles = {"training_tiles": tuple(training_tiles), "validation_tiles": tuple(validation_tiles)}
    return TrainingJob(plan=plan, statistics=statistics, folder=folder, **tiles, **others)


def write_zip(path: Path, files: Mapping[str, bytes], method: int = ZIP_DEFLATED) -> Path:
    """Write an archive of files by their names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(path, "w", method) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return path


def write_raster(
    path: Path,
    array: np.ndarray,
    pixel: float = 0.5,
    west: float = WEST,
    north: float = NORTH,
    crs: CRS | None = UTM,
    **profile: Any,
) -> Path:
    """Write (rows, columns) or (bands, rows, columns); ``pixel=0`` leaves the georeference out."""
    bands = array[None] if array.ndim == 2 else array
    place = {"crs": crs, "transform": Affine(pixel, 0, west, 0, -pixel, north)} if pixel else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"driver": "GTiff", "dtype": bands.dtype, "count": len(bands), **place, **profile}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", height=bands.shape[1], width=bands.shape[2], **options) as target:
            target.write(bands)
    return path
