"""The mask of the cells whose truth lies in the buffer around tiles held out."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from rasterio.features import geometry_mask

from mtlaerial.datasets.buffer import BufferZones, require_footprint
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.footprints import Footprint, read_footprint
from mtlaerial.rasters.grid import Grid

Mask = Callable[[Grid], NDArray[np.bool_]]
"""Returns the cells of a layer, or of a part of it, whose truth is not used, shape (rows, columns)."""


def with_buffer(mask: Mask, dataset: Dataset, tile: str, held_out: Sequence[Footprint]) -> Mask:
    """Return a mask with the cells, besides those of another, whose centre is in the buffer around tiles held out.

    Parameters
    ----------
    mask : Mask
    dataset : Dataset
    tile : str
    held_out : sequence of Footprint

    Raises
    ------
    DataError
        When there is a buffer and the tile has no georeference.
    """
    if not (held_out and dataset.spec.buffer):
        return mask
    footprint = require_footprint(tile, read_footprint(dataset, tile))
    zone = BufferZones(held_out, dataset.spec.buffer).near(footprint)
    if zone.is_empty:
        return mask

    def masked(layer: Grid) -> NDArray[np.bool_]:
        shape = layer.height, layer.width
        inside: NDArray[np.bool_] = geometry_mask([zone], shape, layer.transform, invert=True)
        return mask(layer) | inside

    return masked
