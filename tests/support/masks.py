"""Images that say in different ways which of their pixels are valid."""

from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from rasterio.shutil import copy

from support import tiny

Way = Literal["tag", "alpha", "alpha and tag", "mask", ".msk", "VRT"]
WAYS: tuple[Way, ...] = get_args(Way)
NODATA = 3
"""The value of invalid pixels in all bands of an image with a tag."""


def write_masked(path: Path, image: NDArray[Any], valid: NDArray[np.bool_], way: Way, **place: Any) -> Path:
    """Write an image, shape (bands, rows, columns), whose pixels are valid in a mask, shape (rows, columns).

    Except with a tag, the values of invalid pixels are arbitrary. For ``"VRT"`` the path returned is that of the VRT.
    """
    values = np.where(valid, image, NODATA if way == "tag" else 99).astype(image.dtype)
    if way == "tag":
        return tiny.write_raster(path, values, nodata=NODATA, **place)
    if way == "VRT":
        source = write_masked(path.with_name(f"{path.stem}_source.tif"), image, valid, "mask", **place)
        copy(source, path.with_suffix(".vrt"), driver="VRT")
        return path.with_suffix(".vrt")
    if "alpha" in way:
        alpha = np.where(valid, 255, 0).astype(image.dtype)[None]
        tags = {"nodata": NODATA} if "tag" in way else {}
        tiny.write_raster(path, np.concatenate([values, alpha]), **tags, **place)
        with rasterio.open(path, "r+") as target:
            target.colorinterp = [*[ColorInterp.undefined] * len(image), ColorInterp.alpha]
        return path
    tiny.write_raster(path, values, **place)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=way == "mask"), rasterio.open(path, "r+") as target:
        target.write_mask(valid)
    assert path.with_name(f"{path.name}.msk").exists() == (way == ".msk")
    return path


def write_damaged_jpeg(path: Path, size: int = 192, **place: Any) -> Path:
    """Write a JPEG in a TIFF of which some bytes are overwritten: GDAL decodes it to wrong pixels, and only warns."""
    y, x = np.mgrid[:size, :size]
    picture = np.stack([(x + y) % 256, (x * 2) % 256, (y * 3) % 256]).astype(np.uint8)
    layout = {"tiled": True, "blockxsize": 64, "blockysize": 64}
    tiny.write_raster(path, picture, compress="jpeg", photometric="ycbcr", **layout, **place)
    content = bytearray(path.read_bytes())
    content[-900:-880] = np.random.default_rng(0).integers(0, 255, 20).astype(np.uint8).tobytes()
    path.write_bytes(content)
    return path
