"""Small rasters that are wrong in one way each, written in place of an image of a town (0.5 m, RGB bytes, UTM)."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp

from support import tiny
from support.town import NORTH, WEST, Town

LOCAL = 'LOCAL_CS["site grid",UNIT["metre",1]]'


@dataclass(frozen=True)
class BadRaster:
    """A raster, and words of the sentence about it.

    Attributes
    ----------
    write : callable
        Replaces the image of tile a.
    words : tuple of str
        In the error of both commands.
    name : str
        Name of the file.
    error_in_check : bool
        False where only `predict` can know: a data set may state other images.
    """

    write: Callable[[Town], Any]
    words: tuple[str, ...]
    error_in_check: bool = True
    name: str = "a.tif"


def place(a: float = 0.5, b: float = 0, c: float = WEST, d: float = 0, e: float = -0.5, f: float = NORTH) -> Affine:
    return Affine(a, b, c, d, e, f)


def at(*words: str, crs: str | None = "EPSG:32632", error_in_check: bool = True, **transform: float) -> BadRaster:
    """Return an image at a wrong place."""

    def write(town: Town) -> None:
        town.change(crs=None, gsd=None)
        town.write("image", "a", town.image(), transform=place(**transform), crs=crs)

    return BadRaster(write, words, error_in_check)


def turned(degrees: float, *words: str) -> BadRaster:
    transform = Affine.translation(WEST, NORTH) @ Affine.rotation(degrees) @ Affine.scale(0.5, -0.5)
    return BadRaster(lambda town: town.write("image", "a", town.image(), transform=transform), words)


def values(change: Callable[[np.ndarray], np.ndarray], *words: str, error_in_check: bool = True, **profile: Any) -> Any:
    """Return an image with other values."""
    return BadRaster(lambda town: town.write("image", "a", change(town.image()), **profile), words, error_in_check)


def as_tags(*colours: ColorInterp) -> Callable[[Town], None]:
    def write(town: Town) -> None:
        path = town.write("image", "a", town.image(), photometric="minisblack")
        with rasterio.open(path, "r+") as target:
            target.colorinterp = colours

    return write


def with_colour_table(town: Town) -> None:
    path = town.write("image", "a", town.image()[:1])
    with rasterio.open(path, "r+") as target:
        target.write_colormap(1, {1: (255, 0, 0, 255)})


def file(make: Callable[[Path], Any], *words: str, name: str = "a.tif") -> BadRaster:
    """Return something else in the image's place."""

    def write(town: Town) -> None:
        (town.root / "image" / "a.tif").unlink()
        town.change(image={"files": f"image/{name}".replace("a.", "{tile}.")})
        make(town.root / "image" / name)

    return BadRaster(write, words, name=name)


def truncate(town: Town) -> None:
    path = town.write("image", "a", town.image())
    path.write_bytes(path.read_bytes()[:-6000])


VRT = """<VRTDataset rasterXSize="64" rasterYSize="64"><SRS>EPSG:32632</SRS>
<GeoTransform>500000, 0.5, 0, 5400000, 0, -0.5</GeoTransform>{bands}</VRTDataset>"""
BAND = """<VRTRasterBand dataType="{dtype}" band="{band}"><SimpleSource>
<SourceFilename relativeToVRT="1">{source}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>"""


def virtual(source: str, *dtypes: str) -> str:
    bands = [BAND.format(dtype=dtype, band=band, source=source) for band, dtype in enumerate(dtypes, start=1)]
    return VRT.format(bands="".join(bands))


NO_GROUND = {"c": 1e6, "f": 8_399_738.0}  # 60 degrees north in Web Mercator

BAD_RASTERS: dict[str, BadRaster] = {
    "pixel height 0": at("pixels of 0.5 x 0 ", "a pixel size above 0", e=0),
    "pixel width 0": at("no georeference", a=0),
    "pixel size infinite": at("a pixel size above 0", a=np.inf),
    "pixel size NaN": at("a pixel size above 0", e=np.nan),
    "origin NaN": at("an origin at nan", "coordinates on Earth", c=np.nan),
    "origin infinite": at("an origin at 500000 inf", "coordinates on Earth", f=np.inf),
    "origin absurd": at("an origin at 1e+30", "coordinates on Earth", c=1e30),
    "origin beyond double precision": at("do not tell pixels of 0.5 x 0.5 apart", f=-1e17),
    "pixels beyond double precision": at("pixels of at least 1e-12", a=1e-307, c=0, e=-1e-307, f=0),
    "pixels of nothing": at("coordinates on Earth", a=1e-30, e=-1e-30),
    "south-up": at("rows (from the south) in reverse", "Turn it: rio warp", e=0.5),
    "mirrored": at("columns (from the east) in reverse", "Turn it: rio warp", a=-0.5),
    "south-up and mirrored": at("rows (from the south) and columns", a=-0.5, e=0.5),
    "rotated": turned(10, "a rotated raster", "Rectify it: rio warp"),
    "rotated by a quarter": turned(90, "a rotated raster", "Rectify it: rio warp"),
    "sheared": at("a rotated raster", "Rectify it: rio warp", b=0.1),
    "high pixels": at("pixels of 0.5 x 5 m", "rio warp", e=-5),
    "wide pixels": at("pixels of 5 x 0.5 m", "rio warp", a=5),
    "coarse": at("pixels of 2 x 2 m", "--res 0.5 --resampling cubic", a=2, e=-2, error_in_check=False),
    "fine": at("pixels of 0.1 x 0.1 m", "--res 0.5 --resampling average", a=0.1, e=-0.1, error_in_check=False),
    "degrees": at("a CRS in degrees (WGS 84)", "EPSG:32632 --res", crs="EPSG:4326", a=1e-5, c=9, e=-1e-5, f=48),
    "degrees of the south": at("a CRS in degrees", "EPSG:32733", crs="EPSG:4326", a=1e-5, c=15, e=-1e-5, f=-48),
    "metres taken for degrees": at("a CRS in degrees", "its place is not on Earth", crs="EPSG:4326"),
    "local CRS": at("an engineering CRS (site grid)", "import rasterio; rasterio.open", crs=LOCAL),
    "geocentric CRS": at("a geocentric CRS (WGS 84)", "a projected CRS", crs="EPSG:4978"),
    "beyond the CRS": at("no place in EPSG:3857", crs="EPSG:3857", f=1e11),
    "Web Mercator": at(
        "pixels of 0.250", "(0.5 x 0.5 in units of EPSG:3857)", crs="EPSG:3857", error_in_check=False, **NO_GROUND
    ),
    "feet": at("pixels of 0.152", "(0.5 x 0.5 in units of", crs="EPSG:2249", c=8e5, f=2.9e6, error_in_check=False),
    "one band": values(lambda image: image[:1], "1 band;", "3 bands (red, green, blue)"),
    "two bands": values(lambda image: image[:2], "2 bands;", "3 bands (red, green, blue)"),
    "colour table": BadRaster(with_colour_table, ("1 band;", "expand=rgb")),
    "blue, green, red": BadRaster(
        as_tags(ColorInterp.blue, ColorInterp.green, ColorInterp.red),
        ("labelled blue, green, red", "expected red, green, blue", "3,2,1"),
    ),
    "complex": values(lambda image: image.astype(np.complex64), "complex64 values", "real numbers"),
    "uint16": values(
        lambda image: image.astype(np.uint16) * 8,
        "dtype uint16; expected uint8", "ot=Byte&scale=0,2047,0,255", error_in_check=False,
    ),
    "float in 0-1": values(lambda image: image / np.float32(255), "0 to 1" , error_in_check=False),
    "different dtypes": file(
        lambda path: path.write_text(virtual("b.tif", "Byte", "Float32", "Byte")),
        "bands of different dtypes", name="a.vrt",
    ),
    "a pipe": file(os.mkfifo, "a pipe or a device", "a raster file"),
    "a device": file(lambda path: path.symlink_to("/dev/zero"), "a pipe or a device"),
    "a folder": file(Path.mkdir, "a directory"),
    "an empty file": file(Path.touch, "an empty file", "a GeoTIFF"),
    "a web page": file(lambda path: path.write_text("<html>404</html>"), "'<html>404", "a GeoTIFF"),
    "truncated": BadRaster(truncate, ("readable pixels", "truncated or damaged")),
    "a VRT of nothing": file(
        lambda path: path.write_text("<VRTDataset/>"), "a raster that GDAL reads", name="a.vrt"
    ),
    "a VRT of a missing file": file(
        lambda path: path.write_text(virtual("gone.tif", *["Byte"] * 3)), "gone.tif", name="a.vrt"
    ),
    "a VRT in a .tif": file(
        lambda path: path.write_text(virtual("b.tif", *["Byte"] * 3)), "a VRT, which lists other files", "rename it"
    ),
    "a PNG in a .tif": file(
        lambda path: tiny.write_raster(path, np.zeros((3, 8, 8), np.uint8), driver="PNG"), "a PNG", "Rename it: mv "
    ),
    "a link to nothing": file(lambda path: path.symlink_to("gone.tif"), "a symbolic link to", "gone.tif"),
    "a link to itself": file(lambda path: path.symlink_to("a.tif"), ""),
}  # fmt: skip
