"""Maps of a generated place as `mtlaerial predict` writes them, and the viewer's server in a thread of the test."""

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import rasterio
from shapely.geometry import box

from mtlaerial.maps.layer import Category, Palette, RasterLayer
from mtlaerial.maps.qgis_style import write_style
from mtlaerial.rasters.geotiff import create_raster
from mtlaerial.rasters.grid import Grid
from support.object_maps import CLASSES, grid, write_maps

SIDE = 64
"""Rows and columns of the place."""
HOUSE = (slice(16, 32), slice(24, 48))
"""Rows and columns of its building."""
HEIGHT = 1234
"""Height of the building in centimetres."""
COLOURS = ((136, 136, 136), (215, 25, 28), (26, 120, 55))


def codes() -> np.ndarray:
    """Return the classes of the place: a building, a strip of trees, a corner without a class."""
    values = np.zeros((SIDE, SIDE), dtype=np.uint8)
    values[HOUSE] = CLASSES.index("building")
    values[48:] = CLASSES.index("tree")
    values[:4, :4] = 255
    return values


def heights() -> np.ndarray:
    """Return heights in centimetres, another one in each pixel outside the building."""
    values = np.arange(SIDE * SIDE, dtype=np.int16).reshape(SIDE, SIDE) % 977
    values[HOUSE] = HEIGHT
    return values


def write_place(folder: Path, place: Grid | None = None, image: bool = True) -> Path:
    """Write classes, heights, probabilities, an image and objects; return the folder."""
    place = place or grid(SIDE, SIDE)
    write_maps(folder, place, codes(), heights(), probability=0.8)
    palette = Palette(tuple(map(Category, range(len(CLASSES)), CLASSES, COLOURS)))
    write_style(folder / "semantics.tif", RasterLayer("semantics", ("class",), "uint8", 255, style=palette), True)
    _describe(folder / "height.tif", ("height above ground",), units=("metre",))
    _describe(folder / "semantics_probabilities.tif", CLASSES, scales=(0.004,) * len(CLASSES))
    if image:
        with create_raster(folder / "ortho.tif", place, count=3, dtype="uint8") as out:
            out.write(np.stack([np.full((SIDE, SIDE), value, dtype=np.uint8) for value in (10, 200, 90)]))
    return folder


def write_objects(path: Path, place: Grid, number: int = 1) -> Path:
    """Write a GeoPackage with the building's outline, and copies of it."""
    rows, columns = HOUSE
    corners = [place.transform @ corner for corner in ((columns.start, rows.stop), (columns.stop, rows.start))]
    outline = box(*corners[0], *corners[1])
    columns_of_table = {"id": range(1, number + 1), "class": "building", "height_median": HEIGHT / 100, "area": 96.0}
    frame = geopandas.GeoDataFrame(columns_of_table, geometry=[outline] * number, crs=place.crs)
    frame.to_file(path, layer="objects", driver="GPKG")
    return path


def _describe(path: Path, descriptions: tuple[str, ...], **attributes: tuple[Any, ...]) -> None:
    with rasterio.open(path, "r+") as file:
        file.descriptions = descriptions
        for name, values in attributes.items():
            setattr(file, name, values)
        file.update_tags(RUN="town")


@dataclass
class Served:
    """A server that runs in a thread of this process."""

    port: int
    token: str

    @property
    def announced(self) -> str:
        """The address with the token."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def ask(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers of an answer; with the token, unless other headers are given."""
        headers = {"Authorization": f"Bearer {self.token}"} if headers is None else headers
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}

    def json(self, path: str) -> Any:
        """Return the answer's content."""
        status, body, _ = self.ask(path)
        assert status == 200, body
        return json.loads(body)


@contextmanager
def served(folder: Path, further: Sequence[Path] = ()) -> Iterator[Served]:
    """Serve a folder of maps, as the command does, until the block ends."""
    from tornado.httpserver import HTTPServer

    from mtlaerial.system.gate import Gate
    from mtlaerial.system.loopback import bind_port
    from mtlaerial.viewer.catalog import read_catalog
    from mtlaerial.viewer.handlers import routes
    from mtlaerial.viewer.server import POLICY

    catalog, sockets = read_catalog(folder, further), bind_port(0, "")
    started, loop = threading.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        with ThreadPoolExecutor(2) as threads:
            server = HTTPServer(Gate(routes(catalog, threads), "secret", POLICY))
            server.add_sockets(sockets)
            started.set()
            await ended.wait()
            server.stop()
            await server.close_all_connections()

    ended = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(60)
    try:
        yield Served(sockets[0].getsockname()[1], "secret")
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(60)
        loop.close()
