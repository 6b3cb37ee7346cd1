"""Server of the map viewer, on the loopback interface, behind the gate."""

import asyncio
import secrets
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from mtlaerial.errors import UserError
from mtlaerial.system.loopback import ADDRESS, bind_port, wait_for_signal

if TYPE_CHECKING:
    from mtlaerial.viewer.catalog import Catalog

EXTRA = "pip install 'mtlaerial[viewer]'"
POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may load: only what this server has."""
THREADS = 4
CACHE = 128 * 2**20
"""Bytes of blocks of rasters that GDAL keeps in memory."""
IDLE_SECONDS = 300.0
"""Time after which an idle connection is closed."""


def view(folder: Path, further: list[Path], port: int, ready: Callable[[str], None]) -> None:
    """Serve the maps of a folder at 127.0.0.1 until Ctrl-C, SIGTERM or the end of the terminal.

    Parameters
    ----------
    folder : Path
    further : list of Path
        Images and GeoPackages that are shown with them.
    port : int
        0 takes any free port.
    ready : callable
        Called with the address of the page, token included, once it can be opened.

    Raises
    ------
    UserError
        When the folder has no maps, the port is taken, or tornado is not installed.
    """
    try:
        import tornado  # noqa: F401
    except ImportError:
        remedy = f"Install it with: {EXTRA}"
        raise UserError("mtlaerial view", "no package tornado", "it to be installed", remedy) from None
    import rasterio

    from mtlaerial.viewer.catalog import read_catalog

    with rasterio.Env(GDAL_CACHEMAX=CACHE):
        asyncio.run(_serve(read_catalog(folder, further), port, ready))


async def _serve(catalog: "Catalog", port: int, ready: Callable[[str], None]) -> None:
    from tornado.httpserver import HTTPServer

    from mtlaerial.system.gate import Gate
    from mtlaerial.viewer.handlers import routes

    sockets = bind_port(port, "Choose another port: --port 8099; or --port 0, which takes any free one.")
    token = secrets.token_urlsafe(32)
    with ThreadPoolExecutor(THREADS) as threads:
        server = HTTPServer(Gate(routes(catalog, threads), token, POLICY), idle_connection_timeout=IDLE_SECONDS)
        server.add_sockets(sockets)
        ready(f"http://{ADDRESS}:{sockets[0].getsockname()[1]}/?token={token}")
        await wait_for_signal((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        server.stop()
        threads.shutdown(wait=False, cancel_futures=True)
