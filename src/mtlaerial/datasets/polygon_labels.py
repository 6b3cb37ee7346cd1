"""Labels drawn as polygons, as a raster of codes on the grid of an image."""

import colorsys
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize

from mtlaerial.datasets.vector_file import read_vector_file
from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import create_raster, open_raster, row_blocks
from mtlaerial.rasters.grid import Grid
from mtlaerial.system.progress import track

UNLABELLED = 0
"""Code of pixels that no polygon covers."""
LARGEST_CODE = 255
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
    """

    codes: dict[str, int]
    pixels: dict[str, int]
    unlabelled: int
    ambiguous: int

    def section(self, path: Path) -> str:
        """Return the section ``labels`` of a specification, for a raster of this name, with colours to be chosen."""
        lines = ["labels:", f"  files: {json.dumps(path.name, ensure_ascii=False)}", f"  ignore: [{UNLABELLED}]"]
        lines.append("  classes:")
        for position, (name, code) in enumerate(self.codes.items()):
            colour = _colour(position / len(self.codes))
            text = json.dumps(name, ensure_ascii=False)
            lines.append(f'    - {{name: {text}, values: [{code}], colour: "{colour}"}}')
        return "\n".join(lines)


def rasterise_labels(polygons: Path, image: Path, column: str, out: Path, replace: bool = False) -> RasterisedLabels:
    """Write the classes of polygons as codes on the grid of an image, where a pixel's centre lies in a polygon.

    Of overlapping polygons the last one in the file counts. Pixels in no polygon have the code 0, which is no-data.

    Parameters
    ----------
    polygons : Path
        Vector file with one layer, in any CRS.
    image : Path
        Raster with a CRS and a georeference.
    column : str
        Column of the classes: whole numbers from 1 to 255, which are the codes, or names, which get codes from 1 in
        alphabetical order.
    out : Path
        GeoTIFF of uint8 to write.
    replace : bool, optional
        Replace an existing file.

    Raises
    ------
    DataError
        When a file cannot be read or written, the column is missing or has other values, a feature is no polygon, or
        none lies on the image.
    """
    if out.resolve() in (polygons.resolve(), image.resolve()):
        raise DataError(out, "a file that is read", "another file", "Choose another --out.")
    if out.exists() and not replace:
        raise DataError(out, "a file", "none", "Choose another --out, or add --replace.")
    with open_raster(image) as source:
        grid = Grid.of(source)
    if grid.crs is None or not grid.georeferenced:
        expected = "an image with a CRS and a georeference, so that polygons have a place on it"
        raise DataError(image, "none", expected, "Georeference the image, e.g. with QGIS.")
    frame = read_vector_file(polygons)
    codes, values = _codes(polygons, frame, column)
    shapes = _shapes(polygons, frame, grid)
    if not shapely.intersects(shapely.box(*grid.bounds), shapes).any():
        raise DataError(polygons, f"no polygon on {image}", "polygons of the same place", "Check both files' CRS.")
    counts, ambiguous = _write(out, grid, shapes, values)
    pixels = {name: int(counts[code]) for name, code in codes.items()}
    return RasterisedLabels(codes, pixels, int(counts[UNLABELLED]), ambiguous)


def _codes(path: Path, frame: Any, column: str) -> tuple[dict[str, int], NDArray[np.uint8]]:
    """Return the code of each class name, and that of each feature."""
    columns = [str(name) for name in frame.columns if name != frame.geometry.name]
    if column not in columns:
        raise DataError(path, f"the columns {', '.join(columns)}", f"a column {column}", "Correct --column.")
    entries = frame[column]
    empty = int(entries.isna().sum()) + sum(isinstance(entry, str) and not entry.strip() for entry in entries)
    if empty:
        observed = f"{empty} features whose {column} is empty"
        raise DataError(path, observed, "a class for each", "Fill them in, or delete the features.")
    if all(isinstance(entry, str) for entry in entries):
        names = sorted(set(entries), key=lambda name: (name.casefold(), name))
        codes = {name: code for code, name in enumerate(names, start=1)}
        if len(names) > LARGEST_CODE:
            expected = f"names of at most {LARGEST_CODE} classes"
            raise DataError(path, f"{len(names)} values of {column}", expected, "Choose another --column.")
        return codes, np.array([codes[entry] for entry in entries], np.uint8)
    whole = [_whole_number(entry) for entry in entries]
    wrong = next((str(entry) for entry, number in zip(entries, whole, strict=True) if number is None), None)
    if wrong is not None:
        expected = f"names, or whole numbers from 1 to {LARGEST_CODE} ({UNLABELLED} is for pixels in no polygon)"
        raise DataError(path, f"{wrong} in {column}", expected, "Correct the column, or choose another --column.")
    values = np.array(whole, np.uint8)
    return {f"class {code}": code for code in np.unique(values).tolist()}, values


def _whole_number(entry: Any) -> int | None:
    """Return a number of a feature as code, or None if it is none."""
    if isinstance(entry, (str, bool, np.bool_)) or not np.isreal(entry):
        return None
    return int(entry) if float(entry).is_integer() and 1 <= entry <= LARGEST_CODE else None


def _shapes(path: Path, frame: Any, grid: Grid) -> NDArray[np.object_]:
    """Return the polygons in the CRS of the image."""
    kinds = sorted(set(frame.geom_type.dropna()) - {"Polygon", "MultiPolygon"})
    if kinds or frame.geometry.isna().any():
        observed = f"features of type {', '.join(kinds)}" if kinds else "features without a geometry"
        raise DataError(path, observed, "polygons alone", "Delete the others, or save the polygons to a new file.")
    if frame.crs is None:
        raise DataError(path, "no CRS", "polygons with a CRS", "Set the layer's CRS, e.g. with QGIS, and save it anew.")
    return np.asarray(frame.geometry.to_crs(grid.crs.to_wkt() if grid.crs else None))


def _write(out: Path, grid: Grid, shapes: NDArray[np.object_], values: NDArray[np.uint8]) -> tuple[Any, int]:
    """Write the codes block by block; return the number of pixels of each code, and that of ambiguous ones."""
    tree = shapely.STRtree(shapes)
    counts, ambiguous = np.zeros(LARGEST_CODE + 1, np.int64), 0
    blocks = list(row_blocks(grid.height))
    with create_raster(out, grid, **_PROFILE) as target:
        for row, rows in track(blocks, len(blocks), "rasterising", "block"):
            block = grid.window(row, 0, rows, grid.width)
            near = np.sort(tree.query(_outline(block)))
            burned = _burn(block, shapes[near], values[near])
            first = _burn(block, shapes[near[::-1]], values[near[::-1]])
            ambiguous += int((burned != first).sum())
            counts += np.bincount(burned.ravel(), minlength=len(counts))
            target.write(burned, 1, window=((row, row + rows), (0, grid.width)))
    return counts, ambiguous


def _outline(grid: Grid) -> Any:
    corners = ((0, 0), (grid.width, 0), (grid.width, grid.height), (0, grid.height))
    return shapely.Polygon([grid.transform @ corner for corner in corners])


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
