"""The parts of layer files that a tile lies in: found, compared, and streamed together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from rasterio.windows import Window

from mtlaerial.config import Layer, Task
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check.findings import Findings
from mtlaerial.datasets.check.image import read_blocks
from mtlaerial.datasets.check.place import ImagePlace, check_layer_place
from mtlaerial.datasets.tile_windows import layer_window
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid

TASK: dict[Layer, Task] = {"height": "height", "labels": "semantics"}
"""The task that each layer is the ground truth of."""


@dataclass(frozen=True)
class Part:
    """The part of a layer's file that a tile lies in."""

    path: Path
    row: int
    column: int
    """Where it begins; it may reach outside the file."""
    grid: Grid
    rows: int
    columns: int
    """The size of the whole file."""
    dtype: str
    bands: int
    nodata: float | None
    """The file's own tag."""

    @property
    def inside(self) -> tuple[int, int, int, int]:
        """First row, one past the last, first column, one past the last, counted in the part, that the file has."""
        top, left = max(0, -self.row), max(0, -self.column)
        bottom, right = self.rows - self.row, self.columns - self.column
        return top, min(self.grid.height, bottom), left, min(self.grid.width, right)


def present(dataset: Dataset, layer: Layer, tile: str, findings: Findings) -> bool:
    """Tell whether all files of a layer are there; report those that should be, and layers that are left out."""
    pairs = zip(dataset.patterns(layer, tile), dataset.candidates(layer, tile), strict=True)
    absent = [(accepted, paths[0]) for accepted, paths in pairs if not any(path.exists() for path in paths)]
    for accepted, path in absent if layer != "eroded" else ():
        expected = _accepted(accepted, dataset.spec.folders)
        if dataset.may_lack(layer, tile):
            remedy = f"The task {TASK[layer]} is neither trained nor scored there. {dataset.obtain(layer)}"
            findings.warning(path, "no file", f"none, or {expected}", remedy.rstrip())
        else:
            findings.error(path, "no file", expected, dataset.obtain(layer) or dataset.spec.obtain)
    return not absent


def _accepted(patterns: Sequence[str], folders: Sequence[str]) -> str:
    """Say where a file may be, in the same words for all tiles."""
    below = f" (below the root, or {', '.join(f for f in folders if f != '.')} there)" if len(folders) > 1 else ""
    return " or ".join(patterns) + below


def locate(
    dataset: Dataset, layer: Layer, tile: str, image: ImagePlace | None, findings: Findings
) -> list[Part] | None:
    """Find a tile in each file of a layer; None where one of them is damaged, misplaced or unlike the other."""
    errors, parts, files = findings.errors, [], dataset.files(layer, tile)
    for path, patterns in zip(files, dataset.patterns(layer, tile), strict=True):
        with findings.collecting():
            chosen = next(pattern for pattern in patterns if path in dataset.paths(pattern, tile))
            part = _locate(dataset, path, image, "{tile}" in chosen, findings)
            parts += [part] if part else []
    if len(parts) == 2 and findings.errors == errors:
        _check_aligned(parts[0], parts[1], findings)
    if len(parts) == len(files) and findings.errors == errors:
        return parts
    for part in parts:
        read_through(part, findings)
    return None


def _locate(dataset: Dataset, path: Path, image: ImagePlace | None, per_tile: bool, findings: Findings) -> Part | None:
    """Find a tile in a file: in its place, or, where that is wrong, all of a file that is the tile's alone."""
    with open_raster(path) as source:
        file, dtype, bands, nodata = Grid.of(source), source.dtypes[0], source.count, source.nodata
    usable = check_layer_place(dataset, path, file, image, per_tile, findings)
    if usable and image:
        row, column, grid = layer_window(path, image.grid)
    elif per_tile:
        row, column, grid = 0, 0, file
    else:
        return None
    return Part(path, row, column, grid, file.height, file.width, dtype, bands, nodata)


def _check_aligned(surface: Part, ground: Part, findings: Findings) -> None:
    """Check that the cells of surface and ground are the same."""
    one, other = surface.grid, ground.grid
    mapping, corner = one.to(other), (one.width, one.height)
    shifts = [a - b for point in ((0, 0), corner) for a, b in zip(mapping @ point, point, strict=True)]
    if (one.height, one.width) != (other.height, other.width) or max(map(abs, shifts)) > 0.01:
        found, expected = (_described(grid) for grid in (other, one))
        remedy = "Resample one to the grid of the other, e.g. with gdalwarp -te -tr."
        findings.error(ground.path, found, f"the cells of {surface.path}: {expected}", remedy)


def _described(grid: Grid) -> str:
    west, _, _, north = grid.bounds
    height, width = grid.pixel_size
    return f"{grid.height} x {grid.width} cells of {height:g} x {width:g} from W {west:.3f} N {north:.3f}"


def read_through(part: Part, findings: Findings) -> None:
    """Read all pixels, only to see whether that is possible."""
    with findings.collecting():
        for _ in stream([part]):
            pass


def gather(parts: Sequence[Part], add: Callable[..., None], findings: Findings) -> None:
    """Give the values of all parts to a function, block by block; report each file that cannot be read."""
    errors = findings.errors
    with findings.collecting():
        for blocks in stream(parts):
            add(*blocks)
    if findings.errors > errors:
        for part in parts[1:]:
            read_through(part, findings)


def stream(parts: Sequence[Part]) -> Iterator[tuple[NDArray[Any], ...]]:
    """Yield the values of aligned parts together, in blocks (bands, rows, columns), where all files have some."""
    tops, bottoms, lefts, rights = zip(*(part.inside for part in parts), strict=True)
    top, left, height, width = max(tops), max(lefts), min(bottoms) - max(tops), min(rights) - max(lefts)
    if height <= 0 or width <= 0:
        return
    windows = [Window(part.column + left, part.row + top, width, height) for part in parts]
    yield from zip(*map(_blocks, parts, windows), strict=True)


def _blocks(part: Part, window: Window) -> Iterator[NDArray[Any]]:
    with open_raster(part.path) as source:
        yield from read_blocks(source, list(source.indexes), window)
