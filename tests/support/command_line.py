"""A sound data set, its configuration, and an image on disk, for tests of the command line."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import yaml

from mtlaerial.config import merge
from mtlaerial.datasets.catalog import Dataset
from support import tiny

Call = Callable[..., tuple[int, str, str]]
"""Runs the command line with arguments; returns exit code, output and error output."""


class Town:
    """A sound data set on disk, its specification, and the ways to break them."""

    def __init__(self, folder: Path, city: Dataset) -> None:
        self.folder, self.root, self.spec = folder, folder / "data", folder / "town.yaml"
        shutil.copytree(city.root, self.root)
        self.change_spec(**city.spec.model_dump(mode="json", exclude_none=True))

    def change_spec(self, **changes: Any) -> None:
        old = yaml.safe_load(self.spec.read_text()) if self.spec.exists() else {}
        self.spec.write_text(yaml.safe_dump(merge(old, changes), sort_keys=False))

    def path(self, layer: str, tile: str = "city_1") -> Path:
        return self.root / layer / f"{tile}.tif"

    def rewrite(
        self, layer: str, change: Callable[[np.ndarray], np.ndarray] = lambda values: values, tile: str = "city_1",
        **profile: Any,
    ) -> None:  # fmt: skip
        """Write a raster again with other values or another profile."""
        path = self.path(layer, tile)
        with rasterio.open(path) as source:
            old, values = source.profile, source.read()
        values = change(values)
        shape = {"count": values.shape[0], "height": values.shape[1], "width": values.shape[2], "dtype": values.dtype}
        path.unlink()
        with rasterio.open(path, "w", **{**old, **shape, **profile}) as target:
            target.write(values)


def assert_says(outcome: tuple[int, str], *words: str, code: int = 1) -> None:
    assert outcome[0] == code, outcome[1]
    for word in words:
        assert word in outcome[1], f"{word!r} not in {outcome[1]}"


def config(town: Town, **changes: Any) -> Path:
    """Write a small configuration with changes."""
    whole = {
        "run": {"datasets": ["town"], "methods": ["equal"], "seeds": [0]},
        "datasets": {"town": {"spec": str(town.spec), "root": str(town.root)}},
        "models": {"tiny": tiny.MODEL},
        "methods": {"equal": {"tasks": ["semantics", "height"], "model": "tiny"}},
        "training": tiny.TRAINING,
    }
    path = town.folder / "config.yaml"
    path.write_text(yaml.safe_dump(merge(whole, changes)))
    return path


def image(folder: Path, bands: int = 3, dtype: str = "uint8", **place: Any) -> Path:
    return tiny.write_raster(folder / "ortho.tif", np.full((bands, 64, 64), 7, dtype=dtype), **place)
