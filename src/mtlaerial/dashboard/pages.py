"""Pages of the dashboard in place of Visdom's: the index of runs, and runs laid over each other.

Visdom's first page is empty, and its comparison gives the lines of all runs the same colours.
"""

import getpass
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from tornado.web import RequestHandler
from tornado.websocket import WebSocketClosedError

from mtlaerial.dashboard.overlay import overlay
from mtlaerial.dashboard.run_index import EMPTY, RunIndex

TEMPLATES = Environment(loader=PackageLoader("mtlaerial.dashboard", "templates"), autoescape=True)


class Index(RequestHandler):
    """The index of runs, at the dashboard's address."""

    state: Mapping[str, Any]
    env_path: str

    def get(self, args: str) -> None:
        """Answer with the page."""
        settings = self.application.settings
        index = settings.setdefault("run_index", RunIndex(self.state, Path(self.env_path)))
        self.set_header("Cache-Control", "no-store")
        self.finish(TEMPLATES.get_template("index.html").render(runs=index.entries()))


class Overlay(RequestHandler):
    """Several runs laid over each other, on Visdom's page."""

    state: Mapping[str, Any]
    subs: Mapping[str, Any]
    wrap_socket: bool

    def get(self, names: str) -> None:
        """Answer with the page, which then asks for the windows."""
        shown = [name for name in names.split("+") if name in self.state]
        page = {"user": getpass.getuser(), "items": sorted(self.state), "wrap_socket": self.wrap_socket}
        self.render("index.html", active_item="+".join(shown), **page)

    def post(self, names: str) -> None:
        """Send the windows to the page that asks."""
        page = self.subs.get(json.loads(self.request.body).get("sid"))
        if page is None:
            return
        chosen = [name for name in dict.fromkeys(names.split("+")) if name in self.state and name != EMPTY]
        # Visdom tells a page of changes in environments of a dictionary, not of a list; then the page asks anew.
        page.eid = dict.fromkeys(chosen)
        with suppress(WebSocketClosedError):  # the page was closed meanwhile
            for message in [*overlay({name: self.state[name]["jsons"] for name in chosen}), {"command": "layout"}]:
                page.write_message(message)
