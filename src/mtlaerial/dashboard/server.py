"""Visdom server on the loopback interface, behind a gate."""

import asyncio
import logging
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mtlaerial.dashboard.assets import Source, provide_assets
from mtlaerial.dashboard.token import published_token
from mtlaerial.errors import UserError
from mtlaerial.system.files import writable
from mtlaerial.system.loopback import ADDRESS, bind_port, wait_for_signal

INSTALL = "pip install -r envs/first.txt && pip install --no-build-isolation -r requirements.lock"
POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; "
    "connect-src 'self' ws://127.0.0.1:* ws://localhost:*; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What Visdom's page may load, and from where."""
BODY_BYTES = 16 * 2**20
"""Largest message; the patches of an epoch take up to 2 MB."""
BODY_SECONDS = 30.0
"""Longest time that a message may take to arrive."""
IDLE_SECONDS = 300.0
"""Time after which an idle connection is closed."""


def serve(port: int, saved: Path, assets: Source, ready: Callable[[str], None]) -> None:
    """Run a Visdom server at 127.0.0.1 until Ctrl-C, SIGTERM or the end of its terminal.

    Parameters
    ----------
    port : int
    saved : Path
        Folder for the environments of ended trainings, to be shown again.
    assets : Source
        Source of the page's scripts where they are missing.
    ready : callable
        Called with the address of its page, token included, once it can be opened.

    Raises
    ------
    UserError
        When Visdom is not installed, the port is taken, the scripts of its page cannot be installed, or the folder or
        the token's file cannot be written to.
    """
    try:
        from visdom.server import app
    except ImportError as error:
        raise UserError("mtlaerial dashboard", f"no package {error.name}", "Visdom", f"Install it: {INSTALL}") from None
    provide_assets(assets)
    for name, level in (("", logging.WARNING), ("tornado.general", logging.ERROR)):
        logging.getLogger(name).setLevel(level)  # else a line per request, and one on a missing style sheet
    app.tornado_settings["autoreload"] = False  # else a changed Python file restarts the server, empty
    # This application holds the windows; it does not listen.
    with writable(saved):
        saved.mkdir(parents=True, exist_ok=True)
        visdom = app.Application(port=port, base_url="", env_path=f"{saved}/")
    asyncio.run(_serve(port, visdom, ready))


async def _serve(port: int, visdom: Any, ready: Callable[[str], None]) -> None:
    from tornado.httpserver import HTTPServer
    from visdom.utils.shared_utils import get_visdom_path

    from mtlaerial.dashboard.handlers import routes
    from mtlaerial.system.gate import Gate

    sockets = bind_port(port, "Another dashboard runs there, perhaps; else choose another port: --port 8098.")
    # The token is written once the port is taken: else a second server would replace that of the first, and fail.
    with published_token(port) as token:
        static = get_visdom_path("static")
        gate = Gate(routes(visdom), token, POLICY, static_path=static, template_path=static, autoescape=None)
        limits = {"max_body_size": BODY_BYTES, "body_timeout": BODY_SECONDS, "idle_connection_timeout": IDLE_SECONDS}
        server = HTTPServer(gate, **limits)
        server.add_sockets(sockets)
        ready(f"http://{ADDRESS}:{port}/?token={token}")
        # Else they would end the process at once, and leave the token's file behind.
        await wait_for_signal((signal.SIGTERM, signal.SIGHUP))
