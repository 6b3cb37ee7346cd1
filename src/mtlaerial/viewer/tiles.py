"""Tiles of layers: pixels of the sources, warped to Web Mercator, coloured, and encoded as PNG.

Of a large raster the overview is read that is as fine as the tile, so that a tile takes about as many pixels as it has.
"""

import io
import math
from collections.abc import Sequence

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from PIL import Image
from rasterio.enums import Resampling
from rasterio.warp import reproject

from mtlaerial.maps.layer import Palette, Ramp
from mtlaerial.viewer.layer import Appearance, Kind, Layer
from mtlaerial.viewer.mercator import MERCATOR, TILE, Bounds
from mtlaerial.viewer.source import Source, intersection, unscaled, valid_where_any_band_is
from mtlaerial.viewer.style import lookup_table, ramp_colours

CODES = 255
"""Code of pixels without a class."""
TERRAIN_TILE = 256
"""Side of a tile of terrain: that of the triangles which the page makes of it is some pixels anyway."""


def draw_tile(layer: Layer, band: int, bounds: Bounds) -> bytes | None:
    """Return a tile of a layer as PNG; None where it has nothing there.

    Parameters
    ----------
    layer : Layer
    band : int
        From 1; of a layer of values.
    bounds : tuple of float
        In metres of Web Mercator.

    Raises
    ------
    DataError
        When a file is damaged.
    """
    appearance = layer.appearance
    sources = [source for source in layer.sources if intersection(source.bounds, bounds)]
    if appearance.kind == "image":
        pixels = _mosaic([_image(source, appearance, bounds) for source in sources])
    elif isinstance(appearance.style, Palette):
        table = lookup_table(appearance.style)
        pixels = _mosaic([table[_codes(source, bounds)] for source in sources])
    else:
        assert isinstance(appearance.style, Ramp)
        values = _values(sources, band, bounds, TILE, Resampling.nearest)
        pixels = None if values is None else ramp_colours(appearance.style, values)
    if pixels is None or not pixels[..., 3].any():
        return None
    return _png(pixels)


def draw_terrain(layer: Layer, bounds: Bounds) -> bytes:
    """Return a tile of heights in metres as PNG: 256 red + green + blue / 256 - 32768 ("terrarium"); 0 where is none.

    Parameters
    ----------
    layer : Layer
        Of heights.
    bounds : tuple of float
        In metres of Web Mercator.

    Raises
    ------
    DataError
        When a file is damaged.
    """
    sources = [source for source in layer.sources if intersection(source.bounds, bounds)]
    values = _values(sources, 1, bounds, TERRAIN_TILE, Resampling.bilinear)
    heights = np.zeros((TERRAIN_TILE, TERRAIN_TILE)) if values is None else np.nan_to_num(values * layer.metres)
    steps = np.round((np.clip(heights, -32768, 32767) + 32768) * 256).astype(np.uint32)
    return _png(np.stack([steps >> 16, steps >> 8 & 255, steps & 255], axis=-1).astype(np.uint8))


def _values(
    sources: Sequence[Source], band: int, bounds: Bounds, side: int, resampling: Resampling
) -> NDArray[np.float32] | None:
    """Return a tile of values in their unit, NaN where there is none; None without sources."""
    mosaic: NDArray[np.float32] | None = None
    for source in sources:
        stored, transform = _read(source, [band], bounds, side, "values")
        tile = np.full((1, side, side), np.nan, dtype=np.float32)
        if stored is not None:
            _warp(stored, transform, source, tile, bounds, resampling, np.nan)
        mosaic = tile[0] if mosaic is None else np.where(np.isnan(mosaic), tile[0], mosaic)
    return mosaic


def _codes(source: Source, bounds: Bounds) -> NDArray[np.uint8]:
    """Return a tile of codes, shape (rows, columns)."""
    stored, transform = _read(source, [1], bounds, TILE, "classes")
    tile: NDArray[np.uint8] = np.full((1, TILE, TILE), CODES, dtype=np.uint8)
    if stored is not None:
        _warp(stored, transform, source, tile, bounds, Resampling.nearest, CODES)
    codes: NDArray[np.uint8] = tile[0]
    return codes


def _image(source: Source, appearance: Appearance, bounds: Bounds) -> NDArray[np.uint8]:
    """Return a tile of an image, shape (rows, columns, 4)."""
    stored, transform = _read(source, appearance.colours, bounds, TILE, "image")
    tile = np.full((3, TILE, TILE), np.nan, dtype=np.float32)
    if stored is not None:
        _warp(stored, transform, source, tile, bounds, Resampling.bilinear, np.nan)
    low, high = appearance.stretch or (0.0, 255.0)
    visible = np.isfinite(tile).all(axis=0)
    colours = np.clip((np.nan_to_num(tile) - low) / (high - low), 0, 1) * 255
    return np.stack([*colours.round(), visible * 255.0], axis=-1).astype(np.uint8)


def _read(
    source: Source, bands: Sequence[int], bounds: Bounds, side: int, kind: Kind
) -> tuple[NDArray[np.float32] | NDArray[np.uint8] | None, Affine]:
    """Return the pixels under a tile, about as fine as it, and their transform; None where there are none.

    Of classes they are codes, of an image as they are stored, other values in their unit, NaN where there is none.
    """
    window = source.window(bounds)
    if window is None:
        return None, source.transform
    coarser = max(1.0, (bounds[2] - bounds[0]) / side / source.pixel)
    rows, columns = (max(1, math.ceil(size / coarser)) for size in (window.height, window.width))
    with source.open() as dataset:
        stored = dataset.read(list(bands), window=window, out_shape=(len(bands), rows, columns), masked=True)
        values: NDArray[np.float32] | NDArray[np.uint8]
        if kind == "classes":
            values = np.ma.filled(stored, CODES).astype(np.uint8)
        elif kind == "image":
            values = np.ma.filled(valid_where_any_band_is(stored).astype(np.float32), np.nan)
        else:
            values = unscaled(dataset, bands, stored).astype(np.float32)
    corner = Affine.translation(window.col_off, window.row_off)
    return values, source.transform @ corner @ Affine.scale(window.width / columns, window.height / rows)


def _warp(
    stored: NDArray[np.float32] | NDArray[np.uint8],
    transform: Affine,
    source: Source,
    tile: NDArray[np.float32] | NDArray[np.uint8],
    bounds: Bounds,
    resampling: Resampling,
    nodata: float,
) -> None:
    """Warp pixels of a source into a tile."""
    pixel = (bounds[2] - bounds[0]) / tile.shape[-1]
    reproject(
        stored,
        tile,
        src_transform=transform,
        src_crs=source.crs,
        src_nodata=nodata,
        dst_transform=Affine.translation(bounds[0], bounds[3]) @ Affine.scale(pixel, -pixel),
        dst_crs=MERCATOR,
        dst_nodata=nodata,
        resampling=resampling,
    )


def _mosaic(tiles: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8] | None:
    """Return the first visible pixel of tiles, each of shape (rows, columns, 4); None without tiles."""
    mosaic: NDArray[np.uint8] | None = None
    for tile in tiles:
        mosaic = tile if mosaic is None else np.where(mosaic[..., 3:] > 0, mosaic, tile)
    return mosaic


def _png(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG", compress_level=1)
    return file.getvalue()
