"""The viewer's server: what it answers, what it refuses, and how it ends."""

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mtlaerial.cli import app
from mtlaerial.errors import UserError
from mtlaerial.viewer import handlers, object_layer
from mtlaerial.viewer.catalog import read_catalog
from mtlaerial.viewer.server import THREADS, view
from support.map_viewer import SIDE, Served, served, write_objects, write_place
from support.object_maps import grid
from support.visdoms import free_port
from support.waiting import eventually

SECRET = "semantics.tif"


@pytest.fixture(scope="module")
def server(maps: Path) -> Iterator[Served]:
    with served(maps) as server:
        yield server


@pytest.mark.parametrize("path", ["/", "/page/app.js", "/catalog", "/tiles/layer0/0/0/0.png", "/values?lng=0&lat=0"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer other"},
        {"Authorization": "Bearer secret", "Origin": "https://evil.example"},
        {"Authorization": "Bearer secret", "Origin": "null"},
        {"Authorization": "Bearer secret", "Host": "evil.example"},
        {"Authorization": "Bearer secret", "Sec-Fetch-Site": "cross-site"},
    ],
    ids=["no token", "other token", "other origin", "no origin", "rebound name", "other site"],
)
def test_other_pages_and_users_get_nothing(server: Served, path: str, headers: dict[str, str]) -> None:
    status, body, _ = server.ask(path, headers)
    assert status == 403
    assert len(body.splitlines()) == 1


def test_the_page_may_load_from_its_server_alone(server: Served) -> None:
    status, body, headers = server.ask("/")
    assert status == 200
    assert b"<html" in body
    rules = dict(rule.strip().split(" ", 1) for rule in headers["content-security-policy"].split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == rules["script-src"] == "'self'"
    assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "path",
    [
        "/page/../handlers.py",
        "/page/%2e%2e/handlers.py",
        "/page//etc/passwd",
        "/page/vendor/../../server.py",
        "/page/nothing.js",
        f"/{SECRET}",
        f"/page/{SECRET}",
        "/tiles/layer9/0/0/0.png",
        "/tiles/layer0/0/1/0.png",
        "/tiles/layer0/99/0/0.png",
        "/tiles/layer0/0/0/0.png?band=2",
        "/tiles/layer0/0/0/0.png?band=..",
        "/terrain/layer2/0/0/0.png",
        "/objects/objects9?west=0&south=0&east=1&north=1",
    ],
)
def test_what_is_not_served_is_not_found(server: Served, path: str) -> None:
    assert server.ask(path)[0] == 404


@pytest.mark.parametrize("query", ["", "lng=1", "lng=a&lat=1", "lng=nan&lat=1", "lng=1&lat=1e9"])
def test_a_place_that_is_none_is_refused(server: Served, query: str) -> None:
    assert server.ask(f"/values?{query}")[0] == 400


def test_tiles_and_terrain_are_pictures(server: Served) -> None:
    for address in ("tiles/layer0", "terrain/layer1"):
        status, body, headers = server.ask(f"/{address}/3/4/2.png")
        assert status == 200
        assert headers["content-type"] == "image/png"
        assert body.startswith(b"\x89PNG")


def test_objects_are_those_in_view(server: Served) -> None:
    west, south, east, north = server.json("/catalog")["objects"][0]["bounds"]
    address = "/objects/objects0?west={}&south={}&east={}&north={}"
    (feature,) = server.json(address.format(west, south, east, north))["features"]
    assert feature["properties"]["height_median"] == 12.34
    assert server.json(address.format(west + 1, south, east + 1, north))["features"] == []


def test_of_many_objects_as_many_are_sent_as_a_browser_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_layer, "MOST", 3)
    write_place(tmp_path, image=False)
    write_objects(tmp_path / "buildings.gpkg", grid(SIDE, SIDE), number=5)
    (objects,) = read_catalog(tmp_path).objects.values()
    found = objects.within(objects.bounds)
    assert len(found["features"]) == 3
    assert not found["complete"]


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    write_place(tmp_path, image=False)
    with served(tmp_path) as server:
        (tmp_path / "semantics.tif").unlink()
        status, body, _ = server.ask("/tiles/layer0/0/0/0.png")
    assert status == 500
    assert b"semantics.tif: found another file than at the start" in body


def test_without_the_extra_one_sentence_says_what_to_install(maps: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tornado", None)
    with pytest.raises(UserError, match=r"found no package tornado.*pip install 'mtlaerial\[viewer\]'"):
        view(maps, [], 0, print)


@pytest.mark.full("lays out a page of help")
def test_help_names_the_options() -> None:
    shown = CliRunner().invoke(app, ["view", "--help"], env={"COLUMNS": "100"}).output
    assert all(option in shown for option in ("MAPS", "FILE", "--port", "--no-open"))


@pytest.mark.full("two servers in processes of their own")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_and_a_taken_port_is_one_sentence(
    maps: Path, tmp_path: Path, number: signal.Signals
) -> None:
    port = free_port()
    command = [sys.executable, "-m", "mtlaerial", "view", str(maps), "--port", str(port), "--no-open"]
    log = tmp_path / "log"
    with log.open("w") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        eventually(lambda: "Ctrl-C" in log.read_text() or process.poll() is not None)
        assert re.search(rf"http://127\.0\.0\.1:{port}/\?token=[\w-]+ \(Ctrl-C", log.read_text())
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        process.send_signal(number)
        assert process.wait(60) == 0
    assert second.returncode == 1
    (line,) = second.stderr.splitlines()
    assert line.startswith(f"Error: port {port}: found another program on it; expected a free port.")
    assert "Traceback" not in log.read_text()


@pytest.mark.full("draws slowly, and waits for it")
def test_requests_that_wait_when_the_server_ends_leave_no_traceback(
    maps: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    began, requests, beginnings = threading.Semaphore(0), [], []

    def slow(*arguments: object) -> bytes:
        began.release()
        time.sleep(1)
        return b""

    def ask(address: str, token: str) -> None:
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
        with suppress(OSError, http.client.HTTPException):
            urllib.request.urlopen(request, timeout=30).read()

    def end_while_tiles_wait(url: str) -> None:
        page, token = url.split("?token=")
        for row in range(2 * THREADS):
            requests.append(threading.Thread(target=ask, args=(f"{page}tiles/layer0/4/0/{row}.png", token)))
            requests[-1].start()

        def end() -> None:
            beginnings.extend(began.acquire(timeout=30) for _ in range(THREADS))
            time.sleep(0.5)  # until the others wait behind these
            os.kill(os.getpid(), signal.SIGTERM)

        requests.append(threading.Thread(target=end))
        requests[-1].start()

    monkeypatch.setattr(handlers, "draw_tile", slow)
    view(maps, [], 0, end_while_tiles_wait)
    for request in requests:
        request.join(30)
    assert beginnings == [True] * THREADS
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
