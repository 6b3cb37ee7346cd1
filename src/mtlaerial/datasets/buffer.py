"""The buffer between training tiles and tiles held out: the ground whose truth is not trained on."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from mtlaerial.config import SPLITS, Split
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.footprints import Footprint, Polygons, read_footprint, reproject
from mtlaerial.errors import DataError

LATER: Mapping[Split, tuple[Split, ...]] = {split: SPLITS[SPLITS.index(split) + 1 :] for split in SPLITS}
"""The splits that a split's truth keeps its distance from: of training validation and test, of validation test."""
_QUARTER_SEGMENTS = 32
"""Segments of a quarter of a round corner: they deviate by 0.03 % of the buffer."""


class BufferZones:
    """The ground nearer than a distance to tiles held out.

    Parameters
    ----------
    held_out : sequence of Footprint
    metres : float
        Width of the buffer.
    """

    def __init__(self, held_out: Sequence[Footprint], metres: float) -> None:
        self.held_out = held_out
        self.metres = metres
        self._trees: dict[str | None, tuple[Polygons, shapely.STRtree]] = {}

    def near(self, tile: Footprint) -> Any:
        """Return the buffer around the held-out tiles near a tile, in the tile's CRS; an empty shape for none."""
        polygons, tree = self._tree(tile)
        distance = self.metres / tile.metres_per_unit()
        neighbours = polygons[tree.query(tile.box, predicate="dwithin", distance=distance)]
        return shapely.union_all(shapely.buffer(neighbours, distance, quad_segs=_QUARTER_SEGMENTS))

    def _tree(self, tile: Footprint) -> tuple[Polygons, shapely.STRtree]:
        """Return the held-out tiles in the CRS of a tile; without those that are too far away to be reprojected."""
        if tile.crs not in self._trees:
            crs = tile.horizontal_crs
            shapes = [reproject(other, crs) if crs else _as_placed(other) for other in self.held_out]
            polygons: Polygons = np.array([shape for shape in shapes if shape is not None], dtype=object)
            self._trees[tile.crs] = polygons, shapely.STRtree(polygons)
        return self._trees[tile.crs]


def _as_placed(footprint: Footprint) -> Any:
    """Return the polygon of a footprint for tiles without CRS, if it has none either."""
    return footprint.box if footprint.horizontal_crs is None else None


def held_out_of(dataset: Dataset, tile: str) -> tuple[str, ...]:
    """Return the tiles that the buffer keeps a tile's truth away from; none without a buffer."""
    return later_tiles(dataset, dataset.split_of(tile)) if dataset.spec.buffer else ()


def read_held_out(dataset: Dataset, tile: str) -> list[Footprint]:
    """Return the footprints of the tiles that the buffer keeps a tile's truth away from, from their images' headers.

    Raises
    ------
    DataError
        When one of them has no georeference.
    """
    return read_later(dataset, dataset.split_of(tile)) if dataset.spec.buffer else []


def read_later(dataset: Dataset, split: Split) -> list[Footprint]:
    """Return the footprints of the tiles of the splits after one, from their images' headers.

    Raises
    ------
    DataError
        When one of them has no georeference.
    """
    return [require_footprint(name, read_footprint(dataset, name)) for name in later_tiles(dataset, split)]


def later_tiles(dataset: Dataset, split: Split) -> tuple[str, ...]:
    """Return the tiles of the splits after one."""
    return tuple(name for later in LATER[split] for name in dataset.spec.splits.get(later, ()))


def buffer_zone(dataset: Dataset, tile: str, held_out: Sequence[Footprint]) -> Any:
    """Return the buffer around tiles held out near a tile, in the tile's CRS; None if there is none.

    Raises
    ------
    DataError
        When there is a buffer and the tile has no georeference.
    """
    if not (held_out and dataset.spec.buffer):
        return None
    footprint = require_footprint(tile, read_footprint(dataset, tile))
    zone = BufferZones(held_out, dataset.spec.buffer).near(footprint)
    return None if zone.is_empty else zone


def select_held_out(dataset: Dataset, tile: str, footprints: Sequence[Footprint]) -> list[Footprint]:
    """Return those of some footprints that the buffer keeps a tile's truth away from.

    Raises
    ------
    DataError
        When one of them has no georeference.
    """
    placed = {footprint.tile: footprint for footprint in footprints}
    return [require_footprint(name, placed.get(name)) for name in held_out_of(dataset, tile)]


def require_footprint(tile: str, footprint: Footprint | None) -> Footprint:
    """Return the footprint of a tile; refuse one without.

    Raises
    ------
    DataError
        When the tile has no georeference.
    """
    if footprint is None:
        observed = f"no georeference of tile {tile}, so that no distance from it can be told"
        remedy = "Add the georeference, or take buffer out of the data set's specification."
        raise DataError("buffer", observed, "georeferenced tiles", remedy)
    return footprint
