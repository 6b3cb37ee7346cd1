"""Area of each class, and statistics of heights, over prepared training tiles.

Tiles may have ground truth on different grids: cells count by their area.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import IGNORED, Layer
from mtlaerial.rasters.geotiff import map_raster, open_raster, row_blocks
from mtlaerial.rasters.grid import Grid, area_weights
from mtlaerial.rasters.ground_size import ground_cell_area
from mtlaerial.tiles.statistics import HEIGHT_EDGES, HeightStatistics

_BIN = 0.01
"""Width in metres of the bins of the histogram for the median height."""


def class_areas(
    folders: Sequence[Path], masked: Mapping[Path, NDArray[np.uint8]] = MappingProxyType({})
) -> NDArray[np.float64]:
    """Return the area of each class index over prepared tiles, in pixels of the finest labels, shape (IGNORED,).

    Parameters
    ----------
    folders : sequence of Path
        A folder of prepared layers per tile.
    masked : mapping of folder to array, shape (rows, columns), optional
        Labels that are counted in place of a tile's own.
    """
    counts = {folder: _count_classes(masked.get(folder, folder / "labels.tif")) for folder in folders}
    labelled = [folder for folder in folders if counts[folder].any()]
    areas = np.zeros(IGNORED)
    for folder, weight in _area_weights(labelled, "labels").items():
        areas += weight * counts[folder]
    return areas


def _count_classes(source: Path | NDArray[np.uint8]) -> NDArray[np.int64]:
    labels = map_raster(source) if isinstance(source, Path) else source
    counts = np.zeros(IGNORED + 1, dtype=np.int64)
    for top, rows in row_blocks(labels.shape[0]):
        counts += np.bincount(labels[top : top + rows].ravel(), minlength=IGNORED + 1)
    return counts[:IGNORED]


def measure_heights(
    folders: Sequence[Path], masked: Mapping[Path, NDArray[np.float32]] = MappingProxyType({})
) -> HeightStatistics | None:
    """Return statistics of the valid heights by area, None without any; the median is exact to a centimetre.

    Parameters
    ----------
    folders : sequence of Path
        A folder of prepared layers per tile.
    masked : mapping of folder to array, shape (rows, columns), optional
        Heights that are measured in place of a tile's own.
    """
    tallies = {folder: _tally_heights(masked.get(folder, folder / "height.tif")) for folder in folders}
    tallies = {folder: tally for folder, tally in tallies.items() if tally.cells}
    if not tallies:
        return None
    cells = total = squares = 0.0
    histogram: dict[int, float] = {}
    for folder, weight in _area_weights(list(tallies), "height").items():
        tally = tallies[folder]
        cells += weight * tally.cells
        total += weight * tally.total
        squares += weight * tally.squares
        for key, count in tally.histogram.items():
            histogram[key] = histogram.get(key, 0.0) + weight * count
    bins = np.array(sorted(histogram))
    cumulated = np.cumsum([histogram[key] for key in bins.tolist()])
    median = float(bins[np.searchsorted(cumulated, cells / 2)] * _BIN)
    mean = total / cells
    return HeightStatistics(
        cells=sum(tally.cells for tally in tallies.values()),
        mean=mean,
        std=float(np.sqrt(max(squares / cells - mean**2, 0))),
        median=median,
        minimum=min(tally.lowest for tally in tallies.values()),
        maximum=max(tally.highest for tally in tallies.values()),
        histogram=_height_shares(histogram),
    )


def _height_shares(histogram: Mapping[int, float]) -> tuple[float, ...]:
    """Return the share of the area in each bin between ``HEIGHT_EDGES``, from the area by height in centimetres."""
    keys = np.array(list(histogram))
    bins = np.searchsorted(np.round(np.array(HEIGHT_EDGES) / _BIN), keys)
    areas = np.bincount(bins, weights=list(histogram.values()), minlength=len(HEIGHT_EDGES) + 1)
    return tuple((areas / areas.sum()).tolist())


@dataclass
class _HeightTally:
    """Sums over the valid heights of a tile."""

    cells: int = 0
    total: float = 0.0
    squares: float = 0.0
    lowest: float = np.inf
    highest: float = -np.inf
    histogram: dict[int, int] = field(default_factory=dict)
    """Cells by height in centimetres."""


def _tally_heights(source: Path | NDArray[np.float32]) -> _HeightTally:
    tally = _HeightTally()
    height = map_raster(source) if isinstance(source, Path) else source
    for top, rows in row_blocks(height.shape[0]):
        block = height[top : top + rows]
        valid = block[np.isfinite(block)].astype(np.float64)
        if valid.size == 0:
            continue
        tally.cells += valid.size
        tally.total += float(valid.sum())
        tally.squares += float((valid**2).sum())
        tally.lowest, tally.highest = min(tally.lowest, valid.min()), max(tally.highest, valid.max())
        bins, counts = np.unique(np.round(valid / _BIN).astype(np.int64), return_counts=True)
        for key, count in zip(bins.tolist(), counts.tolist(), strict=True):
            tally.histogram[key] = tally.histogram.get(key, 0) + count
    return tally


def _area_weights(folders: Sequence[Path], layer: Layer) -> dict[Path, float]:
    """Return the weights of the cells of a layer that add up to areas, by folder."""
    areas = []
    for folder in folders:
        with open_raster(folder / f"{layer}.tif") as source:
            areas.append(ground_cell_area(Grid.of(source)))
    return dict(zip(folders, area_weights(areas).tolist(), strict=True))
