"""Loading of prepared tiles: onto the device if they fit, else memory-mapped from disk."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from numpy.typing import NDArray
from rasterio.enums import MaskFlags
from torch import Tensor

from mtlaerial.config import LAYERS, Layer
from mtlaerial.rasters.geotiff import map_raster, open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.tiles.image_mask import invalid_pixels

AxisMap = tuple[float, float, float, float]
"""Transform from image pixels to cells of a layer: column scale, row scale, column offset, row offset."""
ON_GRID: AxisMap = (1.0, 1.0, 0.0, 0.0)
MaskedTruth = Mapping[Path, Mapping[Layer, NDArray[Any]]]
"""Layers with a part of the truth, shape (rows, columns), by folder and layer; the others are whole."""


@dataclass(frozen=True)
class Tile:
    """A prepared tile, each layer on its own grid.

    Attributes
    ----------
    name : str
    image : Tensor, shape (rows, columns, bands), the file's dtype
    height : Tensor, shape (rows, columns, 1), float32, metres
        NaN for no-data. A layer that the data set lacks is a single no-data cell.
    labels : Tensor, shape (rows, columns, 1), uint8
        Class indices, ``IGNORED`` for no-data.
    to_height, to_labels : AxisMap
        Transforms from image pixels to cells of the layers.
    grids : dict of layer to Grid
    invalid : Tensor, shape (rows, columns), bool, or None
        Mask of the pixels without image, which have the fill value; None without any, or where it is not loaded.
    filled : bool
        Whether there are such pixels.
    """

    name: str
    image: Tensor
    height: Tensor
    labels: Tensor
    to_height: AxisMap
    to_labels: AxisMap
    grids: dict[Layer, Grid]
    invalid: Tensor | None = None
    filled: bool = False

    @property
    def rows(self) -> int:
        """Number of rows of the image."""
        return int(self.image.shape[0])

    @property
    def columns(self) -> int:
        """Number of columns of the image."""
        return int(self.image.shape[1])

    def layer(self, layer: Layer) -> Tensor:
        """Return a layer, shape (rows, columns, bands)."""
        rasters: dict[Layer, Tensor] = {"image": self.image, "height": self.height, "labels": self.labels}
        return rasters[layer]

    def axis_map(self, layer: Layer) -> AxisMap:
        """Return the transform from image pixels to cells of a layer."""
        maps: dict[Layer, AxisMap] = {"image": ON_GRID, "height": self.to_height, "labels": self.to_labels}
        return maps[layer]


def load_tiles(
    folders: Sequence[Path],
    device: torch.device,
    budget_mb: int,
    masks: bool = False,
    masked: MaskedTruth = MappingProxyType({}),
) -> list[Tile]:
    """Load prepared tiles onto the device if all fit the budget, else memory-map them from disk.

    Parameters
    ----------
    folders : sequence of Path
        A folder per tile, with ``image.tif``, ``height.tif`` and ``labels.tif``.
    device : torch.device
        Device of loaded tiles; mapped tiles stay in the page cache of the host.
    budget_mb : int
        Mebibytes that tiles may take on the device.
    masks : bool
        Also load the masks of pixels without image, into memory; training does not need them, as there is no truth.
    masked : MaskedTruth, optional
        Layers that take the place of a tile's own.
    """
    size = sum((folder / f"{layer}.tif").stat().st_size for folder in folders for layer in LAYERS)
    target = device if size <= budget_mb * 2**20 else None
    return [_load_tile(folder, target, masks, masked.get(folder, {})) for folder in folders]


def _load_tile(folder: Path, device: torch.device | None, mask: bool, masked: Mapping[Layer, NDArray[Any]]) -> Tile:
    """Load a tile onto a device; with None, memory-map it."""
    layers: dict[Layer, Tensor] = {}
    grids: dict[Layer, Grid] = {}
    for layer in LAYERS:
        path = folder / f"{layer}.tif"
        with open_raster(path) as source:
            grids[layer] = Grid.of(source)
        array = masked[layer] if layer in masked else map_raster(path)
        array = array[..., None] if array.ndim == 2 else array
        layers[layer] = _as_tensor(array) if device is None else torch.from_numpy(array.copy()).to(device)
    return Tile(
        name=folder.name,
        **layers,
        to_height=_axis_map(grids["image"], grids["height"]),
        to_labels=_axis_map(grids["image"], grids["labels"]),
        grids=grids,
        invalid=_load_mask(folder / "image.tif") if mask else None,
        filled=_has_mask(folder / "image.tif"),
    )


def _has_mask(path: Path) -> bool:
    with open_raster(path) as source:
        return MaskFlags.all_valid not in source.mask_flag_enums[0]


def _load_mask(path: Path) -> Tensor | None:
    with open_raster(path) as source:
        invalid = invalid_pixels(source)
    return None if invalid is None else torch.from_numpy(invalid)


def _as_tensor(array: NDArray[Any]) -> Tensor:
    """Return a tensor that shares the memory of a read-only array."""
    # PyTorch has no read-only tensors and warns about the array; tiles are never written to.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


def _axis_map(image: Grid, layer: Grid) -> AxisMap:
    """Return the transform between two north-up grids, whose off-diagonal terms are 0."""
    m = image.to(layer)
    # Rounded, so that equal grids give exactly ON_GRID.
    return round(m.a, 6), round(m.e, 6), round(m.c, 6), round(m.f, 6)
