"""Sparse rasters: parts that a file lacks, and that GDAL reads as 0 where no tag or mask says that they are no data."""

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rasterio
import shapely
from affine import Affine
from rasterio.windows import Window
from shapely.affinity import affine_transform

from mtlaerial.errors import DataError
from mtlaerial.rasters.decoder_warnings import rewriting
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.validity import MaskedBands


def require_all_parts(bands: MaskedBands, window: Window) -> None:
    """Require that a file holds all of a window, or that a no-data tag says what the rest means.

    Raises
    ------
    DataError
    """
    absent = absent_pixels(bands, window)
    if absent:
        path, whole = rewriting(bands.source.name)
        share = f"{100 * absent / (window.height * window.width):.3g} %"
        remedy = (
            "Get the file anew. If nothing was recorded there, tag it with a value that no pixel has: "
            f"rio edit-info --nodata VALUE {path}. If 0 is right, write it out: rio convert {path} {whole}"
        )
        observed = f"{share} of the pixels in parts that the file lacks, and that read as 0"
        raise DataError(bands.source.name, observed, "all of it, or a no-data tag", remedy)


def absent_pixels(bands: MaskedBands, window: Window) -> int:
    """Return the number of valid pixels of a window that the file lacks.

    These are blocks of a GeoTIFF that were never written, and of a VRT the gaps between its files and what these lack;
    0 for other formats.
    """
    source = bands.source
    if bands.tagged:  # what is absent reads as no data
        return 0
    if source.driver == "GTiff":
        return sum(_count_valid(bands, block) for block in _absent_blocks(source, bands.bands, window))
    if source.driver == "VRT" and not bands.masked and bands.nodata != 0:
        gaps = shapely.union_all([_gaps(source, band, window) for band in bands.bands])
        return round(float(gaps.area))
    return 0


def _count_valid(bands: MaskedBands, block: Window) -> int:
    invalid = bands.read(block).invalid
    return int(block.height * block.width) - (0 if invalid is None else int(invalid.sum()))


def _absent_blocks(source: rasterio.DatasetReader, bands: Sequence[int], window: Window) -> Iterator[Window]:
    """Yield the parts of a window in blocks of a GeoTIFF that one of the bands lacks."""
    height, width = source.block_shapes[bands[0] - 1]
    by_pixel = source.tags(ns="IMAGE_STRUCTURE").get("INTERLEAVE") == "PIXEL"
    bands_with_blocks = bands[:1] if by_pixel else bands
    for y in range(int(window.row_off) // height, -(-int(window.row_off + window.height) // height)):
        for x in range(int(window.col_off) // width, -(-int(window.col_off + window.width) // width)):
            offsets = [source.get_tag_item(f"BLOCK_OFFSET_{x}_{y}", "TIFF", bidx=band) for band in bands_with_blocks]
            if None in offsets:
                yield Window(x * width, y * height, width, height).intersection(window)


@dataclass(frozen=True)
class _Piece:
    """A file in a band of a VRT."""

    file: Path
    band: str
    part: Any
    """Rectangle in pixels of the file; None for all of it."""
    place: Any
    """Rectangle in pixels of the VRT, rounded outwards."""


def _gaps(source: rasterio.DatasetReader, band: int, window: Window) -> Any:
    """Return the shape of the parts of a window of a VRT's band for which no file has pixels."""
    frame, pieces = _rectangle(window), _pieces(source, band)
    if not pieces:  # a warped VRT, or one of another kind, whose sources have no places
        return shapely.Polygon()
    near = [piece for piece in pieces if piece.place.intersects(frame)]
    return frame.difference(shapely.union_all([piece.place.difference(_absent(piece, frame)) for piece in near]))


def _absent(piece: _Piece, frame: Any) -> Any:
    """Return the shape of what a piece's file lacks in a frame, both in pixels of the VRT."""
    if not (piece.file.is_file() and piece.band.isdecimal()):  # in an archive, or a mask
        return shapely.Polygon()
    with open_raster(piece.file) as source:
        whole = _rectangle(_whole(source))
        to_vrt = _between(piece.part or whole, piece.place)
        in_file = affine_transform(piece.place.intersection(frame), (~to_vrt).to_shapely()).intersection(whole)
        # What is absent reads as the no-data value, if there is one.
        if in_file.area == 0 or source.nodatavals[int(piece.band) - 1] is not None:
            return shapely.Polygon()
        return affine_transform(_absent_shape(source, int(piece.band), _around(in_file)), to_vrt.to_shapely())


def _absent_shape(source: rasterio.DatasetReader, band: int, window: Window) -> Any:
    if source.driver == "VRT":
        return _gaps(source, band, window)
    blocks = _absent_blocks(source, [band], window) if source.driver == "GTiff" else ()
    return shapely.union_all([_rectangle(block) for block in blocks])


def _pieces(source: rasterio.DatasetReader, band: int) -> list[_Piece]:
    root = ET.fromstring(source.tags(ns="xml:VRT")["xml:VRT"])
    elements = root.iterfind(f"VRTRasterBand[@band='{band}']/*")
    # SimpleSource, ComplexSource and more; an Overview has a file too.
    return [_piece(source, element) for element in elements if element.tag.endswith("Source")]


def _piece(source: rasterio.DatasetReader, element: ET.Element) -> _Piece:
    file = Path(element.findtext("SourceFilename", ""))
    if element.find("SourceFilename[@relativeToVRT='1']") is not None:
        file = Path(source.name).parent / file
    part, place = element.find("SrcRect"), element.find("DstRect")
    return _Piece(
        file=file,
        band=element.findtext("SourceBand", "1"),
        part=None if part is None else _read_rectangle(part),
        # GDAL draws a file without a place over the whole raster.
        place=_rectangle(_whole(source) if place is None else _around(_read_rectangle(place))),
    )


def _whole(source: rasterio.DatasetReader) -> Window:
    return Window(0, 0, source.width, source.height)


def _read_rectangle(element: ET.Element) -> Any:
    left, top, width, height = (float(element.get(key, 0)) for key in ("xOff", "yOff", "xSize", "ySize"))
    return shapely.box(left, top, left + width, top + height)


def _rectangle(window: Window) -> Any:
    left, top = window.col_off, window.row_off
    return shapely.box(left, top, left + window.width, top + window.height)


def _around(shape: Any) -> Window:
    """Return the smallest window of whole pixels around a shape."""
    left, top, right, bottom = shape.bounds
    return Window.from_slices((math.floor(top), math.ceil(bottom)), (math.floor(left), math.ceil(right)))


def _between(part: Any, place: Any) -> Affine:
    """Return the transform from one rectangle to another."""
    left, top, right, bottom = part.bounds
    west, north, east, south = place.bounds
    scale = Affine.scale((east - west) / (right - left), (south - north) / (bottom - top))
    return Affine.translation(west, north) @ scale @ Affine.translation(-left, -top)
