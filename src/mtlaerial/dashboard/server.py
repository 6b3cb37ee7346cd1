"""Visdom server on the loopback interface."""

import errno
import logging
from collections.abc import Callable
from pathlib import Path

from mtlaerial.dashboard.assets import Source, provide_assets
from mtlaerial.errors import UserError

INSTALL = "pip install -r envs/first.txt && pip install --no-build-isolation -r requirements.lock"


def serve(port: int, saved: Path, assets: Source, ready: Callable[[str], None]) -> None:
    """Run a Visdom server at 127.0.0.1 until it is interrupted.

    Parameters
    ----------
    port : int
    saved : Path
        Folder for the environments of ended trainings, to be shown again.
    assets : Source
        Source of the page's scripts where they are missing.
    ready : callable
        Called with the URL once it can be opened.

    Raises
    ------
    UserError
        When Visdom is not installed, the port is taken, or the scripts of its page cannot be installed.
    """
    try:
        from visdom.server import app
        from visdom.server.run_server import start_server
    except ImportError as error:
        raise UserError("mtlaerial dashboard", f"no package {error.name}", "Visdom", f"Install it: {INSTALL}") from None
    provide_assets(assets)
    for name, level in (("", logging.WARNING), ("tornado.general", logging.ERROR)):
        logging.getLogger(name).setLevel(level)  # else a line per request, and one on a missing style sheet
    app.tornado_settings["autoreload"] = False  # else a changed Python file restarts the server, empty
    url = f"http://127.0.0.1:{port}"
    try:
        start_server(
            port, "127.0.0.1", base_url="", env_path=f"{saved}/", bind_local=True, print_func=lambda _: ready(url)
        )
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        remedy = "Another dashboard runs there, perhaps; else choose another port: --port 8098."
        raise UserError(f"port {port}", "another program on it", "a free port", remedy) from None
