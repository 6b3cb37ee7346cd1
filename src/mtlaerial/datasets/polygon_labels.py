"""Labels drawn as polygons, as rasters of codes on the grids of images."""

import colorsys
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize

from mtlaerial.datasets.hidden_names import is_shown
from mtlaerial.datasets.label_polygons import LARGEST_CODE, UNLABELLED, LabelPolygons, outline, read_label_polygons
from mtlaerial.errors import DataError
from mtlaerial.rasters.formats import FORMATS, VRT
from mtlaerial.rasters.geotiff import create_raster, open_raster, row_blocks
from mtlaerial.rasters.grid import Grid
from mtlaerial.system.progress import track

_SUFFIXES = tuple(suffix for each in FORMATS if each is not VRT for suffix in each.suffixes)
_PROFILE = {"count": 1, "dtype": "uint8", "nodata": UNLABELLED, "compress": "deflate", "tiled": True}


@dataclass(frozen=True)
class RasterisedLabels:
    """Codes of a raster of labels.

    Attributes
    ----------
    codes : dict of str to int
        Code of each class name.
    pixels : dict of str to int
        Number of pixels of each class.
    unlabelled : int
        Number of pixels that no polygon covers.
    ambiguous : int
        Number of pixels that polygons of several classes cover.
    images : int
        Number of images, each with a raster.
    empty : tuple of str
        Names of the images on which no polygon lies.
    """

    codes: dict[str, int]
    pixels: dict[str, int]
    unlabelled: int
    ambiguous: int
    images: int = 1
    empty: tuple[str, ...] = ()

    def section(self, path: Path) -> str:
        """Return the section ``labels`` of a specification, for a raster of this name, with colours to be chosen."""
        lines = ["labels:", f"  files: {json.dumps(path.name, ensure_ascii=False)}", f"  ignore: [{UNLABELLED}]"]
        lines.append("  classes:")
        for position, (name, code) in enumerate(self.codes.items()):
            colour = _colour(position / len(self.codes))
            text = json.dumps(name, ensure_ascii=False)
            lines.append(f'    - {{name: {text}, values: [{code}], colour: "{colour}"}}')
        return "\n".join(lines)


def rasterise_labels(polygons: Path, images: Path, column: str, out: Path, replace: bool = False) -> RasterisedLabels:
    """Write the classes of polygons as codes on the grids of images, where a pixel's centre lies in a polygon.

    Of overlapping polygons the last one in the file counts. Pixels in no polygon have the code 0, which is no-data.

    Parameters
    ----------
    polygons : Path
        Vector file with one layer, in any CRS.
    images : Path
        Raster with a CRS and a georeference, or a folder of such tiles, VRTs left out.
    column : str
        Column of the classes: whole numbers from 1 to 255, which are the codes, or names, which get codes from 1 in
        alphabetical order.
    out : Path
        GeoTIFF of uint8 to write; of a folder, the folder for a GeoTIFF of each tile's name.
    replace : bool, optional
        Replace existing files.

    Raises
    ------
    DataError
        When a file cannot be read or written, the column is missing or has other values, a feature is no polygon, or
        none lies on an image; before any file is written.
    """
    targets = label_files(images, out)
    for target in targets.values():
        _require_place(target, {polygons, *targets}, replace)
    grids = {image: _grid(image) for image in targets}
    labels = read_label_polygons(polygons, column)
    empty = tuple(image.name for image, grid in grids.items() if not labels.reach(grid))
    if len(empty) == len(grids):
        raise DataError(polygons, f"no polygon on {images}", "polygons of the same place", "Check both files' CRS.")
    counts, ambiguous = np.zeros(LARGEST_CODE + 1, np.int64), 0
    for image, target in targets.items():
        counts_of_image, ambiguous_of_image = _write(target, grids[image], labels)
        counts += counts_of_image
        ambiguous += ambiguous_of_image
    pixels = {name: int(counts[code]) for name, code in labels.codes.items()}
    return RasterisedLabels(labels.codes, pixels, int(counts[UNLABELLED]), ambiguous, len(targets), empty)


def label_files(images: Path, out: Path) -> dict[Path, Path]:
    """Return the raster of labels of each image: ``out`` of a file, and in ``out`` for each image of a folder.

    Raises
    ------
    DataError
        When a folder has no images, or two of one name, or ``out`` is no folder.
    """
    if not images.is_dir():
        return {images: out}
    if out.exists() and not out.is_dir():
        raise DataError(out, "a file", f"a folder, as {images} is one", "Choose another --out.")
    paths = sorted(path for path in images.iterdir() if is_shown(path.name) and path.suffix.lower() in _SUFFIXES)
    if not paths:
        raise DataError(images, "no image", f"files such as {' '.join(_SUFFIXES)}", "Give the folder of the tiles.")
    names: dict[str, Path] = {}
    for path in paths:
        if names.setdefault(path.stem, path) != path:
            observed = f"{names[path.stem].name} and {path.name}"
            raise DataError(images, observed, "images of different names", "Rename one, or move it elsewhere.")
    return {path: out / f"{path.stem}.tif" for path in paths}


def _require_place(out: Path, read: Collection[Path], replace: bool) -> None:
    if out.resolve() in {path.resolve() for path in read}:
        raise DataError(out, "a file that is read", "another file", "Choose another --out.")
    if out.exists() and not replace:
        raise DataError(out, "a file", "none", "Choose another --out, or add --replace.")


def _grid(image: Path) -> Grid:
    with open_raster(image) as source:
        grid = Grid.of(source)
    if grid.crs is None or not grid.georeferenced:
        expected = "an image with a CRS and a georeference, so that polygons have a place on it"
        raise DataError(image, "none", expected, "Georeference the image, e.g. with QGIS.")
    return grid


def _write(out: Path, grid: Grid, labels: LabelPolygons) -> tuple[NDArray[np.int64], int]:
    """Write the codes block by block; return the number of pixels of each code, and that of ambiguous ones."""
    shapes, values, tree = labels.shapes(grid.crs), labels.values, labels.tree(grid.crs)
    counts, ambiguous = np.zeros(LARGEST_CODE + 1, np.int64), 0
    blocks = list(row_blocks(grid.height))
    with create_raster(out, grid, **_PROFILE) as target:
        for row, rows in track(blocks, len(blocks), f"rasterising {out.name}", "block"):
            block = grid.window(row, 0, rows, grid.width)
            near = np.sort(tree.query(outline(block)))
            burned = _burn(block, shapes[near], values[near])
            first = _burn(block, shapes[near[::-1]], values[near[::-1]])
            ambiguous += int((burned != first).sum())
            counts += np.bincount(burned.ravel(), minlength=len(counts))
            target.write(burned, 1, window=((row, row + rows), (0, grid.width)))
    return counts, ambiguous


def _burn(grid: Grid, shapes: Sequence[Any], values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the codes of a block; the last polygon counts."""
    size = (grid.height, grid.width)
    if not len(shapes):
        return np.full(size, UNLABELLED, np.uint8)
    pairs = zip(shapes, values.tolist(), strict=True)
    return np.asarray(rasterize(pairs, size, fill=UNLABELLED, transform=grid.transform, dtype="uint8"))


def _colour(hue: float) -> str:
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue, 0.6, 0.8))
    return f"#{red:02x}{green:02x}{blue:02x}"
