"""Addresses that the viewer serves: the page's files, the catalog, tiles, values at a place, and objects."""

import asyncio
import base64
import json
import math
import re
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from importlib.resources import files
from typing import Any, TypeVar

from rasterio.warp import transform
from tornado.web import HTTPError

from mtlaerial.errors import UserError
from mtlaerial.system.gate import Headed
from mtlaerial.viewer.catalog import Catalog
from mtlaerial.viewer.description import is_terrain
from mtlaerial.viewer.layer import Layer
from mtlaerial.viewer.mercator import MERCATOR, Bounds, tile_bounds
from mtlaerial.viewer.tiles import draw_terrain, draw_tile
from mtlaerial.viewer.values import values_at

PAGE = files("mtlaerial.viewer") / "page"
TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "mjs": "text/javascript", "txt": "text/plain"}
NOTHING = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="
)
"""A PNG of one transparent pixel."""
_NAME = re.compile(r"(?:[a-z][a-z0-9-]*/)*[A-Za-z][A-Za-z0-9-]*\.(html|css|mjs|js|txt)")
Answer = TypeVar("Answer")


def routes(catalog: Catalog, threads: Executor) -> list[Any]:
    """Return the routes, as tornado takes them."""
    tile = r"/([a-z0-9]+)/(\d{1,2})/(\d{1,8})/(\d{1,8})\.png"
    given = {"catalog": catalog, "threads": threads}
    return [
        (r"/()", Page),
        (r"/page/(.*)", Page),
        (r"/catalog", CatalogOfFolder, given),
        (rf"/tiles{tile}", Tile, given),
        (rf"/terrain{tile}", Terrain, given),
        (r"/values", Values, given),
        (r"/objects/([a-z0-9]+)", Objects, given),
    ]


class Quiet(Headed):
    """Handler of GET alone, whose errors are one sentence or a status."""

    SUPPORTED_METHODS = ("GET",)

    def write_error(self, status_code: int, **details: Any) -> None:
        """Answer with the sentence of a file at fault, else with the status alone."""
        error = details.get("exc_info", (None, None))[1]
        if isinstance(error, UserError):
            self.refuse(500, error)
        else:
            self.finish(f"{status_code}\n")

    def log_exception(self, kind: Any, error: Any, trace: Any) -> None:
        """Log errors but those of files, which are logged as sentences."""
        if not isinstance(error, UserError):
            super().log_exception(kind, error, trace)


class Page(Quiet):
    """Files of the page: those that ship with the package, by their names."""

    def get(self, name: str) -> None:
        """Answer with a file."""
        match = _NAME.fullmatch(name or "index.html")
        file = PAGE.joinpath(*match[0].split("/")) if match else None
        if match is None or file is None or not file.is_file():
            raise HTTPError(404)
        self.set_header("Content-Type", f"{TYPES[match[1]]}; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.finish(file.read_bytes())


class Answering(Quiet):
    """Handler that reads rasters in threads."""

    def initialize(self, catalog: Catalog, threads: Executor) -> None:
        """Take what is served, and the threads."""
        self.catalog, self.threads = catalog, threads

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Return what a function returns in a thread; refuse the request where the server ends before."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self.threads, work)
        except asyncio.CancelledError:  # tornado would let it reach asyncio, which logs a traceback for each request
            raise HTTPError(503) from None

    def send(self, content: Any) -> None:
        """Answer with JSON."""
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(content, allow_nan=False))

    def send_picture(self, picture: bytes) -> None:
        """Answer with a PNG, which the browser keeps: the page asks another start of the viewer at other addresses."""
        self.set_header("Content-Type", "image/png")
        self.set_header("Cache-Control", "private, max-age=600")
        self.finish(picture)

    def numbers(self, *names: str) -> list[float]:
        """Return numbers of the address."""
        try:
            values = [float(self.get_query_argument(name)) for name in names]
        except ValueError:
            values = [math.nan]
        if not all(map(math.isfinite, values)):
            raise HTTPError(400)
        return values

    def layer(self, key: str) -> Layer:
        """Return a layer of the catalog."""
        if key not in self.catalog.layers:
            raise HTTPError(404)
        return self.catalog.layers[key]


class CatalogOfFolder(Answering):
    """The catalog."""

    def get(self) -> None:
        """Answer with it."""
        self.send(self.catalog.as_json())


class Tile(Answering):
    """A tile of a layer, of its first band or that of the argument ``band``."""

    async def get(self, key: str, zoom: str, column: str, row: str) -> None:
        """Answer with a PNG, of one transparent pixel where there is nothing."""
        layer, bounds = self.layer(key), _bounds(zoom, column, row)
        band = self.get_query_argument("band", "1")
        if not band.isdecimal() or not 1 <= int(band) <= len(layer.appearance.bands):
            raise HTTPError(404)
        picture: bytes | None = await self.run(partial(draw_tile, layer, int(band), bounds))
        self.send_picture(picture or NOTHING)


class Terrain(Answering):
    """A tile of terrain."""

    async def get(self, key: str, zoom: str, column: str, row: str) -> None:
        """Answer with a PNG."""
        layer, bounds = self.layer(key), _bounds(zoom, column, row)
        if not is_terrain(layer):
            raise HTTPError(404)
        self.send_picture(await self.run(partial(draw_terrain, layer, bounds)))


class Values(Answering):
    """Values of all layers at the arguments ``lng`` and ``lat``, in degrees."""

    async def get(self) -> None:
        """Answer with a list."""
        longitude, latitude = self.numbers("lng", "lat")
        if abs(latitude) > 90:
            raise HTTPError(400)
        layers = list(self.catalog.layers.values())
        self.send(await self.run(partial(values_at, layers, longitude, latitude)))


class Objects(Answering):
    """Objects within the arguments ``west``, ``south``, ``east`` and ``north``, in degrees."""

    async def get(self, key: str) -> None:
        """Answer with GeoJSON."""
        if key not in self.catalog.objects:
            raise HTTPError(404)
        west, south, east, north = self.numbers("west", "south", "east", "north")
        corners = max(west, -180), max(south, -85), min(east, 180), min(north, 85)
        xs, ys = transform("EPSG:4326", MERCATOR, corners[::2], corners[1::2])
        self.send(await self.run(partial(self.catalog.objects[key].within, (xs[0], ys[0], xs[1], ys[1]))))


def _bounds(zoom: str, column: str, row: str) -> Bounds:
    bounds = tile_bounds(int(zoom), int(column), int(row))
    if bounds is None:
        raise HTTPError(404)
    return bounds
