"""Visdom servers for tests: a double that misbehaves as asked, and the real one, as the command starts it."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock

from mtlaerial.dashboard.client import Client
from mtlaerial.errors import UserError
from support.waiting import eventually


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def token_file(port: int) -> Path:
    """Return where the token of a dashboard at a port of this machine stands."""
    return Path(os.environ["XDG_STATE_HOME"]) / "mtlaerial" / f"dashboard_{port}.token"


class Double(ThreadingHTTPServer):
    """Answers as Visdom does, or with an error, with nonsense, or not at all.

    Attributes
    ----------
    behaviour : str
        ``well``, ``error``, ``nonsense``, ``hang``, ``refuse`` or ``full``.
    windows : dict
        The last content of each.
    posts : list of (endpoint, message)
    credentials : set of str
        What the requests had in ``Authorization``.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int = 0, behaviour: str = "well") -> None:
        self.behaviour, self.windows, self.posts = behaviour, dict[str, Any](), list[tuple[str, Any]]()
        self.released, self.credentials = threading.Event(), set[str]()
        super().__init__(("127.0.0.1", port), Handler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def events(self) -> list[str]:
        """The windows that were shown, in order."""
        return [message["win"] for endpoint, message in self.posts if endpoint == "events"]

    def end(self) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    server: Double

    def log_message(self, *arguments: object) -> None:
        pass

    def do_POST(self) -> None:
        self.server.credentials.add(self.headers.get("Authorization", ""))
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.behaviour == "hang":
            self.server.released.wait(60)
            return
        endpoint = self.path.strip("/")
        self.server.posts.append((endpoint, message))
        body = str(message.get("win") in self.server.windows).lower() if endpoint == "win_exists" else "done"
        if endpoint == "events" and self.server.behaviour == "well":
            self.server.windows[message["win"]] = message
        self._answer("hello" if self.server.behaviour == "nonsense" else body)

    def _answer(self, body: str) -> None:
        status = {"error": 500, "refuse": 403, "full": 400}.get(self.server.behaviour, 200)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"no\x1b[31m\nroom" if self.server.behaviour == "full" else body.encode())


class Visdom:
    """A real server that runs, kept in a folder.

    Attributes
    ----------
    saved : Path
        The folder with the environments that are kept.
    """

    def __init__(self, saved: Path, port: int) -> None:
        self.saved, self.port = saved, port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def announced(self) -> str:
        """The address of the page with the token, as the server prints it."""
        path = token_file(self.port)
        return f"{self.url}/?token={path.read_text().strip()}" if path.exists() else f"{self.url}/"

    def answers(self, address: str) -> bool:
        with socket.socket() as client:
            client.settimeout(2)
            return client.connect_ex((address, self.port)) == 0

    def window(self, environment: str, name: str) -> dict[str, Any]:
        """Return a window's data, from the file that the server saves; empty if there is no such window."""
        client = Client(self.url, environment, timeout=60)
        # The question lets the server load the environment: Visdom saves "null" for one that it has not loaded.
        if not client.has(name):
            return {}
        client.keep()
        return dict(json.loads((self.saved / f"{environment}.json").read_text())["jsons"][name])


class StartedVisdom(Visdom):
    """A server in a process of its own, started by ``mtlaerial dashboard``; the test may do anything to it."""

    def __init__(self, saved: Path, port: int | None = None) -> None:
        super().__init__(saved, port or free_port())
        command = [sys.executable, "-m", "mtlaerial", "dashboard", "--port", str(self.port), "--saved", str(saved)]
        self.log = saved.with_suffix(".log")
        with self.log.open("w") as file:
            self.process = subprocess.Popen(command, stdout=file, stderr=file)
        eventually(lambda: self.process.poll() is not None or "dashboard is at" in self.log.read_text())
        assert self.process.poll() is None, self.log.read_text()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def visdom(saved: Path, port: int | None = None) -> Iterator[StartedVisdom]:
    """Start a server, and end it."""
    require_visdom()
    server = StartedVisdom(saved, port)
    try:
        yield server
    finally:
        server.end()


@contextmanager
def shared_visdom(folder: Path) -> Iterator[Visdom]:
    """Yield the one server of the test run: the first process that asks starts it, the last that is done ends it."""
    require_visdom()
    state = folder / "visdom.json"
    with FileLock(folder / "visdom.lock"):
        if not state.exists():
            server = StartedVisdom(folder / "visdom")
            state.write_text(json.dumps({"port": server.port, "pid": server.process.pid, "users": 0}))
        running = _count_users(state, 1)
    try:
        yield Visdom(folder / "visdom", running["port"])
    finally:
        with FileLock(folder / "visdom.lock"):
            if not _count_users(state, -1)["users"]:
                psutil.Process(running["pid"]).kill()
                state.unlink()


def _count_users(state: Path, more: int) -> dict[str, int]:
    running = json.loads(state.read_text())
    running["users"] += more
    state.write_text(json.dumps(running))
    return dict(running)


def require_visdom() -> None:
    """Skip the test where Visdom or its page's scripts cannot be had."""
    pytest.importorskip("visdom", reason="Visdom is not installed: requirements.lock")
    from mtlaerial.dashboard.assets import provide_assets

    try:
        provide_assets("npm")
    except UserError as error:
        pytest.skip(f"no scripts for Visdom's page: {error}")
