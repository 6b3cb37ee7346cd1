"""Prepared tiles: on the device when they fit, else mapped from disk."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from mtlaerial.config import LAYERS, Layer
from mtlaerial.rasters.geotiff import map_raster, open_raster
from mtlaerial.rasters.grid import Grid

AxisMap = tuple[float, float, float, float]
"""From image pixels to a layer's: column scale, row scale, column offset, row offset."""
ON_GRID: AxisMap = (1.0, 1.0, 0.0, 0.0)


@dataclass(frozen=True)
class Tile:
    """One prepared tile.

    Attributes
    ----------
    name : str
    image : Tensor, shape (rows, columns, bands), the file's dtype
    height : Tensor, shape (rows, columns, 1), float32, metres
        NaN where not known; on its own grid. A layer that a data set lacks is one cell that is not known.
    labels : Tensor, shape (rows, columns, 1), uint8
        Class indices, ``IGNORED`` where not known; on its own grid.
    to_height, to_labels : AxisMap
        From image pixels to the layers'.
    grids : dict of layer to Grid
    """

    name: str
    image: Tensor
    height: Tensor
    labels: Tensor
    to_height: AxisMap
    to_labels: AxisMap
    grids: dict[Layer, Grid]

    @property
    def rows(self) -> int:
        """Rows of the image."""
        return int(self.image.shape[0])

    @property
    def columns(self) -> int:
        """Columns of the image."""
        return int(self.image.shape[1])

    def layer(self, layer: Layer) -> Tensor:
        """Return a layer, shape (rows, columns, bands)."""
        rasters: dict[Layer, Tensor] = {"image": self.image, "height": self.height, "labels": self.labels}
        return rasters[layer]

    def axis_map(self, layer: Layer) -> AxisMap:
        """Return the map from image pixels to a layer's cells."""
        maps: dict[Layer, AxisMap] = {"image": ON_GRID, "height": self.to_height, "labels": self.to_labels}
        return maps[layer]


def load_tiles(folders: Sequence[Path], device: torch.device, budget_mb: int) -> list[Tile]:
    """Load prepared tiles onto the device if all fit the budget, else map them from disk.

    Parameters
    ----------
    folders : sequence of Path
        A folder per tile, with ``image.tif``, ``height.tif`` and ``labels.tif``.
    device : torch.device
        Where to keep them; mapped tiles stay in the page cache of the host.
    budget_mb : int
        Megabytes that tiles may take on the device.
    """
    size = sum((folder / f"{layer}.tif").stat().st_size for folder in folders for layer in LAYERS)
    resident = size <= budget_mb * 2**20
    return [_load_tile(folder, device if resident else None) for folder in folders]


def _load_tile(folder: Path, device: torch.device | None) -> Tile:
    layers: dict[Layer, Tensor] = {}
    grids: dict[Layer, Grid] = {}
    for layer in LAYERS:
        path = folder / f"{layer}.tif"
        with open_raster(path) as source:
            grids[layer] = Grid.of(source)
        array = map_raster(path)
        array = array[..., None] if array.ndim == 2 else array
        layers[layer] = _mapped(array) if device is None else torch.from_numpy(array.copy()).to(device)
    return Tile(
        name=folder.name,
        **layers,
        to_height=_axis_map(grids["image"], grids["height"]),
        to_labels=_axis_map(grids["image"], grids["labels"]),
        grids=grids,
    )


def _mapped(array: NDArray[Any]) -> Tensor:
    """Return a tensor of a read-only map; nothing here writes to tiles."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


def _axis_map(image: Grid, layer: Grid) -> AxisMap:
    """Return the map between two north-up grids; rounded so that equal grids map exactly."""
    m = image.to(layer)
    rounded = tuple(round(value, 6) for value in (m.a, m.e, m.c, m.f))
    return rounded[0], rounded[1], rounded[2], rounded[3]
