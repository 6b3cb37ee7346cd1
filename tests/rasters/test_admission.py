"""Rasters closed to strangers: a file is read with the files that it may have, and with nothing else."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import open_raster
from support import doors, tiny


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return tiny.write_raster(tmp_path / "plain.tif", np.full((16, 16), 7, np.uint8))


def refusal(path: Path) -> str:
    """Return the sentence that refuses a raster, of which all is read if it is not."""
    with pytest.raises(DataError) as caught:
        read_all(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def read_all(path: Path) -> None:
    with open_raster(path) as source:
        source.read()
        source.read_masks()
        source.read(1, out_shape=(4, 4))


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_vrt_that_is_named_as_one_is_read(plain: Path, tmp_path: Path) -> None:
    inner = write(tmp_path / "inner.vrt", doors.vrt(doors.source("plain.tif", relative=1)))
    with open_raster(write(tmp_path / "outer.vrt", doors.vrt(doors.source(inner)))) as source:
        assert (source.read() == 7).all()


def test_a_warped_vrt_is_read(plain: Path, tmp_path: Path) -> None:
    from rasterio.shutil import copy
    from rasterio.vrt import WarpedVRT

    with rasterio.open(plain) as source, WarpedVRT(source, crs="EPSG:3857") as warped:
        copy(warped, tmp_path / "warped.vrt", driver="VRT")
    with open_raster(tmp_path / "warped.vrt") as source:
        assert source.read().max() == 7


def test_a_tif_that_holds_a_vrt_is_not_read_as_one(plain: Path, tmp_path: Path) -> None:
    message = refusal(write(tmp_path / "a.tif", doors.vrt(doors.source(plain))))
    assert "a.tif: found a VRT, which lists other files to read; expected a GeoTIFF." in message


REQUESTS: dict[str, Callable[[Path, str], Path]] = {
    "source of a VRT": lambda folder, url: write(
        folder / "a.vrt", doors.vrt(doors.source(f"/vsicurl/{url}/x.tif"), before="<SRS>EPSG:32632</SRS>")
    ),
    "map service in a VRT": lambda folder, url: write(
        folder / "a.vrt", doors.vrt(doors.source(write(folder / "service.xml", WMS.format(url=url))))
    ),
    "VRT as a source in a .tif": lambda folder, url: write(
        folder / "a.vrt",
        doors.vrt(doors.source(write(folder / "b.tif", doors.vrt(doors.source(f"/vsicurl/{url}/x.tif"))))),
    ),
    "VRT as overviews": lambda folder, url: beside(
        folder, ".ovr", doors.vrt(doors.source(f"/vsicurl/{url}/x.tif"), size=8)
    ),
    "VRT as a mask": lambda folder, url: beside(folder, ".msk", doors.vrt(doors.source(f"/vsicurl/{url}/x.tif"))),
    "metadata beside": lambda folder, url: beside(
        folder,
        ".aux.xml",
        f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">/vsicurl/{url}/o.tif</MDI>'
        "</Metadata></PAMDataset>",
    ),
    "metadata in a GeoTIFF": lambda folder, url: tagged(folder, f"/vsicurl/{url}/o.tif"),
    "metadata in a source": lambda folder, url: write(
        folder / "a.vrt", doors.vrt(doors.source(tagged(folder, f"/vsicurl/{url}/o.tif")))
    ),
}
WMS = """<GDAL_WMS><Service name="TMS"><ServerUrl>{url}/${{z}}/${{x}}/${{y}}.png</ServerUrl></Service><DataWindow>
<UpperLeftX>0</UpperLeftX><UpperLeftY>16</UpperLeftY><LowerRightX>16</LowerRightX><LowerRightY>0</LowerRightY>
<TileLevel>0</TileLevel><SizeX>16</SizeX><SizeY>16</SizeY></DataWindow><BlockSizeX>16</BlockSizeX>
<BlockSizeY>16</BlockSizeY><BandsCount>1</BandsCount></GDAL_WMS>"""


def beside(folder: Path, suffix: str, text: str) -> Path:
    write(folder / f"plain.tif{suffix}", text)
    return folder / "plain.tif"


def tagged(folder: Path, overviews: str) -> Path:
    with rasterio.open(folder / "plain.tif", "r+") as target:
        target.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=overviews)
    return folder / "plain.tif"


@pytest.mark.parametrize("way", REQUESTS)
@pytest.mark.usefixtures("plain")
def test_no_raster_makes_requests(way: str, tmp_path: Path) -> None:
    with doors.listening() as listener:
        refusal(REQUESTS[way](tmp_path, listener.url))
        assert not listener.requested()


HARMFUL = {
    "raw bytes": lambda secret: doors.vrt(doors.RAW.format(name=secret), kind="VRTRawRasterBand"),
    "text as a source": lambda secret: doors.vrt(doors.source(secret)),
    "Python": lambda secret: doors.vrt(
        "<PixelFunctionType>f</PixelFunctionType><PixelFunctionLanguage>Python</PixelFunctionLanguage>"
        "<PixelFunctionCode>def f(*args): pass</PixelFunctionCode>",
        kind="VRTDerivedRasterBand",
    ),
    "attribute as element": lambda secret: doors.vrt(f'<SimpleSource SourceFilename="{secret}"/>'),
    "entity": lambda secret: f'<!DOCTYPE a [<!ENTITY b "{secret}">]>' + doors.vrt(doors.source("&b;")),
    "archive": lambda secret: doors.vrt(doors.source(f"/vsizip/{secret}/a.tif")),
    "VRT in the name": lambda secret: doors.vrt(doors.source("&lt;VRTDataset/&gt;")),
    "part of a file": lambda secret: doors.vrt(doors.source(f"GTIFF_DIR:1:{secret}")),
    "comment in the name": lambda secret: doors.vrt(doors.source(f"{secret}<!-- -->.tif")),
    "elevation model of a transform": lambda secret: doors.vrt(
        "", before=f'<GDALWarpOptions><RPCTransformer><Option key="RPC_DEM">{secret}</Option></RPCTransformer>'
        "</GDALWarpOptions>",
    ),
    "CRS from a file": lambda secret: doors.vrt(doors.source("plain.tif", 1), before=f"<SRS>{secret}</SRS>"),
}  # fmt: skip


@pytest.mark.parametrize("way", HARMFUL)
@pytest.mark.usefixtures("plain")
def test_a_vrt_reads_no_other_files(way: str, tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.txt", "a password in a text file, of a hundred bytes or more " * 5)
    refusal(write(tmp_path / "a.vrt", HARMFUL[way](secret)))


@pytest.mark.parametrize("relative", [True, False])
def test_an_img_takes_no_pixels_from_elsewhere(relative: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with doors.listening() as listener:
        path = spilling(tmp_path, f"/vsicurl/{listener.url}/a.ige")
        message = refusal(Path(path.name) if relative else path)
        assert not listener.requested()
    assert "which it reads; expected no other files" in message


def spilling(folder: Path, name: str) -> Path:
    """Write an ERDAS Imagine file whose pixels lie in another one."""
    image, path = np.zeros((16, 16), np.uint8), folder / f"{'x' * (len(name) - 4)}.img"
    tiny.write_raster(path, image, driver="HFA", use_spill="YES")
    # Renamed, as GDAL prefers a file of the image's name, where there is one.
    renamed = folder / "a.img"
    renamed.write_bytes(path.read_bytes().replace(f"{path.stem}.ige".encode(), name.encode()))
    return renamed


def test_a_vrt_of_itself_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.vrt", doors.vrt(doors.source("a.vrt", relative=1)))
    assert "nested more deeply" in refusal(path)


def test_sidecars_that_are_rasters_are_read(plain: Path) -> None:
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(plain, "r+") as target:
        target.write_mask(np.eye(16, dtype=bool))
    with rasterio.Env(TIFF_USE_OVR=True), rasterio.open(plain, "r+") as target:
        target.build_overviews([2])
    with open_raster(plain) as source:
        assert (source.read_masks(1) > 0).sum() == 16
        assert source.overviews(1) == [2]


def test_the_listener_notices_a_request() -> None:
    with doors.listening() as listener:
        assert not listener.requested()
        with pytest.raises(rasterio.errors.RasterioIOError):
            rasterio.open(f"{listener.url}/a.tif")
        assert listener.requested()


@pytest.mark.parametrize("name", ["a.vrt", "plain.tif.msk"])
def test_a_pipe_beside_or_in_a_raster_is_not_waited_for(name: str, plain: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tif")
    if name == "a.vrt":
        write(tmp_path / name, doors.vrt(doors.source("pipe.tif", relative=1)))
    else:
        (tmp_path / "pipe.tif").rename(tmp_path / name)
    assert "a pipe or a device" in refusal(tmp_path / "a.vrt" if name == "a.vrt" else plain)


@pytest.mark.parametrize("name", ["http://127.0.0.1:9/a.tif", "s3://bucket/a.tif", "/vsizip/a.zip/a.tif"])
def test_an_address_is_named_as_one(name: str) -> None:
    assert "found an address; expected a raster file of this machine. Download or unpack it" in refusal(Path(name))
