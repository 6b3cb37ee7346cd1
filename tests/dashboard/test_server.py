"""The server that ``mtlaerial dashboard`` starts, and the download of its page's scripts."""

import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
from pathlib import Path

import psutil
import pytest

from mtlaerial.config import DashboardSpec
from mtlaerial.dashboard import assets
from mtlaerial.dashboard.client import Client
from mtlaerial.dashboard.curves import POINTS, Curves, panels
from mtlaerial.dashboard.server import serve
from mtlaerial.errors import ConfigError, DataError, DownloadError, UserError
from support.tiny import training_spec
from support.visdoms import Visdom, free_port, require_visdom, token_file, visdom

UPDATES = 600
COMMAND = [sys.executable, "-m", "mtlaerial", "dashboard"]


def addresses() -> list[str]:
    """Return addresses of this machine that others reach it by."""
    interface_addresses = (entry for entries in psutil.net_if_addrs().values() for entry in entries)
    return [
        entry.address
        for entry in interface_addresses
        if entry.family == socket.AF_INET and not entry.address.startswith("127.")
    ]


def test_it_listens_on_this_machine_alone(running_visdom: Visdom) -> None:
    if not addresses():
        pytest.skip("this machine has no other address than its own")
    assert running_visdom.answers("127.0.0.1")
    assert not any(running_visdom.answers(address) for address in addresses())


@pytest.mark.full("starts two servers")
def test_a_port_in_use_is_reported_in_one_line(running_visdom: Visdom, tmp_path: Path) -> None:
    command = [*COMMAND, "--port", str(running_visdom.port), "--saved", str(tmp_path / "other")]
    second = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert second.returncode == 1
    assert second.stderr.startswith(f"Error: port {running_visdom.port}: found another program on it")
    assert len(second.stderr.splitlines()) == 1
    assert not Client(running_visdom.url, "run").has("nothing"), "the first has its token still"


@pytest.mark.full("two servers of its own")
def test_ctrl_c_and_sigterm_end_the_server_and_saved_windows_return(tmp_path: Path) -> None:
    with visdom(tmp_path / "saved") as server:
        client = Client(server.url, "run")
        client.show("text", {"data": [{"type": "text", "content": "kept"}], "opts": {}})
        client.keep()
        token = token_file(server.port)
        assert f"{server.url}/?token={token.read_text().strip()} (Ctrl-C" in server.log.read_text()
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(120) == 130
        assert "Traceback" not in server.log.read_text()
        assert not token.exists()
    with visdom(tmp_path / "saved") as again:
        assert again.window("run", "text")["content"] == "kept"
        again.process.send_signal(signal.SIGTERM)
        assert again.process.wait(120) == 0
        assert not token_file(again.port).exists()


@pytest.mark.parametrize("place", ["saved", "state"])
def test_a_folder_that_cannot_be_written_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    require_visdom()
    (tmp_path / place).write_text("a file where a folder belongs")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with pytest.raises(DataError, match=rf"{tmp_path / place}.*found not a directory; expected a place to write to"):
        serve(free_port(), tmp_path / "saved" / "dashboard", "npm", print)


@pytest.mark.full("endurance: 1,200 updates of a server of its own")
def test_its_memory_does_not_grow_with_updates(tmp_path: Path) -> None:
    curves, shown = Curves(), panels(training_spec(), ("semantics", "height"), True)
    for step in range(10_000):
        curves.add({"step": step, "epoch": step / 100, "loss_height": 1 / (1 + step)})
    content = curves.plot(shown["loss_height"])
    assert len(content["data"][0]["x"]) == POINTS
    with visdom(tmp_path / "saved") as server:
        client, process = Client(server.url, "run"), psutil.Process(server.process.pid)
        memory = []
        for number in range(2 * UPDATES):
            client.show("loss_height", content)
            if number % UPDATES == UPDATES - 1:
                memory.append(process.memory_info().rss)
    assert memory[1] - memory[0] < 8 * 2**20


def test_without_npm_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"npm: found no such program.*Node\.js"):
        assets._from_npm(tmp_path)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the output of an ``npm`` that packs the content of a folder."""
    packed = tmp_path / "packed"
    (packed / "package" / "dist").mkdir(parents=True)
    (packed / "package" / "dist" / "tool.js").write_text("content")
    with tarfile.open(packed / "tool-1.0.0.tgz", "w:gz") as archive:
        archive.add(packed / "package", "package")
    answer = [{"name": "tool", "version": "1.0.0", "filename": "tool-1.0.0.tgz", "integrity": "sha512-right"}]
    (packed / "answer.json").write_text(json.dumps(answer))
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\ncp {packed}/tool-1.0.0.tgz "$6"\necho "$@" > {packed}/asked\ncat {packed}/answer.json\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return packed


def package(integrity: str) -> dict[str, assets.Package]:
    return {"tool@1.0.0": assets.Package(integrity=integrity, files={"dist/tool.js": "js/tool.min.js"})}


def test_files_of_packages_get_visdom_s_names(registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "packages", lambda: package("sha512-right"))
    assets._from_npm(tmp_path / "static")
    assert (tmp_path / "static" / "js" / "tool.min.js").read_text() == "content"
    assert "tool@1.0.0" in (registry / "asked").read_text().split()
    assert "--ignore-scripts" in (registry / "asked").read_text().split()


def test_a_package_that_is_not_the_published_one_is_refused(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "packages", lambda: package("sha512-other"))
    with pytest.raises(DownloadError, match=r"npm package tool@1\.0\.0: found sha512-right; expected sha512-other"):
        assets._from_npm(tmp_path / "static")
    assert not (tmp_path / "static").exists()


def test_an_npm_that_fails_is_quoted(registry: Path, tmp_path: Path) -> None:
    (registry.parent / "bin" / "npm").write_text("#!/bin/sh\necho no network >&2\nexit 1\n")
    with pytest.raises(DownloadError, match="npm pack: found no network"):
        assets._from_npm(tmp_path / "static")


def test_the_page_needs_what_visdom_downloads() -> None:
    """Names as in Visdom's own script for the internet."""
    pytest.importorskip("visdom")
    from visdom.server import build

    source = Path(build.__file__).read_text()
    names = {Path(target).name for one in assets.packages().values() for target in one.files.values()}
    assert {name for name in names if name not in source} == set()


def test_an_incomplete_page_is_got_again(tmp_path: Path) -> None:
    for one in assets.packages().values():
        for target in one.files.values():
            (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / target).write_text("content")
    assert not assets._complete(tmp_path, "1")
    (tmp_path / "version.built").write_text("1\n")
    assert assets._complete(tmp_path, "1")
    assert not assets._complete(tmp_path, "2")
    (tmp_path / "js" / "sjcl.js").write_text("")
    assert not assets._complete(tmp_path, "1")


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8097", "ftp://host", "http://", "http://host/?a=b", "http://host:99999", "http://:80"]
)
def test_an_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="key url"):
        DashboardSpec.parse({"url": url}, "dashboard")


def test_a_slash_at_the_end_of_the_url_does_no_harm() -> None:
    assert DashboardSpec.parse({"url": "http://host:8097/"}, "dashboard").url == "http://host:8097"
