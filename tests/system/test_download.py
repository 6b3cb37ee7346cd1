"""Downloads from a local server that sends, cuts off, corrupts, stalls, refuses and resumes."""

import hashlib
import logging
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtlaerial.errors import DownloadError
from mtlaerial.system.download import fetch
from mtlaerial.system.download_limits import Limits

CONTENT = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK: dict[str, Any] = {"limits": Limits(timeout=0.3), "attempts": 2, "pause": 0.01}


ENDLESS = ("endless", "huge", "drip", "header", "chunks")
"""Behaviours that send more than a file."""


class Server(ThreadingHTTPServer):
    """Behaves as the path says; remembers the requests, and whether the first answer shall be cut off or busy."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str | None]] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        behaviour = self.path[1:]
        asked = self.headers.get("Range")
        self.server.requests.append((behaviour, asked))
        first = len(self.server.requests) == 1
        if behaviour.isdigit() or (behaviour == "busy" and first):
            self.send_error(503 if behaviour == "busy" else int(behaviour))
            return
        begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and behaviour != "no_ranges" else 0
        if begin >= len(CONTENT):
            self.send_error(416)
            return
        if behaviour in ENDLESS:
            self.send_without_end(behaviour)
            return
        self.send_response(206 if begin else 200)
        if behaviour == "steady":
            self.send_header("Content-Length", str(len(CONTENT) - begin))
            self.end_headers()
            for at in range(begin, len(CONTENT), 1000):
                self.wfile.write(CONTENT[at : at + 1000])
                time.sleep(0.02 if first else 0)
            return
        self.send_header("Content-Length", "abc" if behaviour == "no_length" else str(len(CONTENT) - begin))
        self.end_headers()
        body = CONTENT[begin:] if behaviour != "corrupted" else CONTENT[begin:-1] + b"?"
        if behaviour in ("truncated", "stalled") or (behaviour in ("cut_once", "no_ranges") and first):
            body = body[: len(body) // 2]
        self.wfile.write(body)
        if behaviour == "stalled":
            time.sleep(1)

    def send_without_end(self, behaviour: str) -> None:
        """Send until the client has enough: five seconds at most, so that a test without limits ends too."""
        end = time.monotonic() + 5
        if behaviour == "header":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        else:
            self.send_response(200)
            if behaviour == "huge":
                self.send_header("Content-Length", "5000000000")
            if behaviour == "chunks":
                self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
        pieces = {"endless": bytes(100_000), "huge": bytes(1000), "drip": b".", "header": b".", "chunks": b"0"}
        with suppress(OSError):
            while time.monotonic() < end:
                self.wfile.write(pieces[behaviour])
                time.sleep(0 if behaviour == "endless" else 0.02)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield running
        running.shutdown()


def test_a_file_is_fetched_and_its_whole_hash_told(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    target = tmp_path / "new" / "weights.pth"
    with caplog.at_level(logging.INFO):
        assert fetch(server.url("good"), target, SHA256.upper()) == SHA256
    assert target.read_bytes() == CONTENT
    assert SHA256 in caplog.text
    assert [path.name for path in target.parent.iterdir()] == ["weights.pth"]


def test_a_broken_connection_is_taken_up_where_it_broke(server: Server, tmp_path: Path) -> None:
    fetch(server.url("cut_once"), tmp_path / "file", SHA256, **QUICK)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.requests == [("cut_once", None), ("cut_once", "bytes=150000-")]


def test_a_server_without_ranges_sends_all_again(server: Server, tmp_path: Path) -> None:
    fetch(server.url("no_ranges"), tmp_path / "file", SHA256, **QUICK)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_later_call_completes_what_is_there_only_where_a_hash_can_tell(server: Server, tmp_path: Path) -> None:
    for sha256, asked in ((SHA256, "bytes=1000-"), (None, None)):
        (tmp_path / ".file.part").write_bytes(CONTENT[:1000])
        fetch(server.url("good"), tmp_path / "file", sha256)
        assert (tmp_path / "file").read_bytes() == CONTENT
        assert server.requests[-1] == ("good", asked)


@pytest.mark.parametrize("left", [CONTENT, CONTENT + b"more"])
def test_a_partial_file_that_lacks_nothing_is_fetched_again(left: bytes, server: Server, tmp_path: Path) -> None:
    (tmp_path / ".file.part").write_bytes(left)
    fetch(server.url("good"), tmp_path / "file", SHA256)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(server: Server, tmp_path: Path) -> None:
    fetch(server.url("busy"), tmp_path / "file", SHA256, **QUICK)
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("behaviour", "words", "requests"),
    [
        ("truncated", "of 300000 bytes", 2),
        ("stalled", "no data for 0.3 s", 2),
        ("404", "the answer 404 (Not Found)", 1),
        ("403", "the answer 403 (Forbidden)", 1),
        ("500", "the answer 500", 2),
        ("corrupted", f"{SHA256}, as published", 1),
    ],
)
def test_failures_are_told_and_leave_no_file(
    behaviour: str, words: str, requests: int, server: Server, tmp_path: Path
) -> None:
    target = tmp_path / "file"
    with pytest.raises(DownloadError) as caught:
        fetch(server.url(behaviour), target, SHA256, **QUICK)
    assert words in str(caught.value)
    assert server.url(behaviour) in str(caught.value)
    assert len(server.requests) == requests
    assert not target.exists()


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"found a folder; expected the file\. Check the path"):
        fetch(str(tmp_path), tmp_path / "file", **QUICK)


def test_a_corrupted_download_is_not_kept_as_a_beginning(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="SHA-256"):
        fetch(server.url("corrupted"), tmp_path / "file", SHA256)
    fetch(server.url("good"), tmp_path / "file", SHA256)
    assert server.requests[-1] == ("good", None)


def test_a_closed_port_and_an_unknown_server(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/file"
        with pytest.raises(DownloadError, match="a refused connection"):
            fetch(url, tmp_path / "file", **QUICK)
    with pytest.raises(DownloadError, match="no such server, or no network"):
        fetch("http://nowhere.invalid/file", tmp_path / "file", **QUICK)


def test_local_files_by_path_and_by_url(tmp_path: Path) -> None:
    source = tmp_path / "my weights.pth"
    source.write_bytes(CONTENT)
    for name in (str(source), source.as_uri()):
        assert fetch(name, tmp_path / "file", SHA256) == SHA256
        assert (tmp_path / "file").read_bytes() == CONTENT
    assert source.read_bytes() == CONTENT
    for wrong in (tmp_path / "absent", tmp_path):
        with pytest.raises(DownloadError, match=wrong.name):
            fetch(str(wrong), tmp_path / "other", SHA256)
    with pytest.raises(DownloadError, match="unknown url type"):
        fetch("gopher://somewhere/file", tmp_path / "other", SHA256)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file")
    with pytest.raises(DownloadError, match="a place to write to"):
        fetch(str(tmp_path / "blocked"), tmp_path / "blocked" / "file")


def test_an_address_may_have_letters_beyond_ascii(server: Server, tmp_path: Path) -> None:
    assert fetch(server.url("grün & weiß.zip?größe=1"), tmp_path / "file", **QUICK) == SHA256
    assert server.requests[0][0] == "gr%C3%BCn%20&%20wei%C3%9F.zip?gr%C3%B6%C3%9Fe=1"


@pytest.mark.parametrize(
    "address",
    ["http://[::1/x", "http://127.0.0.1:port/x", "http://a..b/x", f"http://{70 * 'a'}.org/x", "http:///x", "abc://b/x"],
)
def test_an_address_that_is_none_is_refused_at_once(
    address: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(DownloadError, match="Correct the address") as error:
        fetch(address, tmp_path / "file", **QUICK)
    assert error.value.where == address
    assert "trying again" not in caplog.text


@pytest.mark.quick_cases(2, "waits for a server")
@pytest.mark.parametrize(
    ("behaviour", "words", "requests"),
    [
        ("huge", "found a file of 5,000,000,000 bytes; expected at most 1,000,000", 1),
        ("endless", "found more than 1,000,000 bytes; expected at most 1,000,000", 1),
        ("drip", " bytes in 0.", 2),
        ("header", "found no end; expected the file within 0.8 s", 1),
        ("chunks", "found no end; expected the file within 0.8 s", 1),
    ],
)
def test_a_server_that_sends_without_end_is_left(
    behaviour: str, words: str, requests: int, server: Server, tmp_path: Path
) -> None:
    limits = Limits(size=1_000_000, seconds=0.8, timeout=0.2)
    begin = time.monotonic()
    with pytest.raises(DownloadError, match=re.escape(words)):
        fetch(server.url(behaviour), tmp_path / "file", limits=limits, attempts=2, pause=0.01)
    assert time.monotonic() - begin < 2
    assert len(server.requests) == requests
    assert not (tmp_path / "file").exists()


def test_a_download_that_takes_too_long_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"expected the file within 0\.3 s\. Run it again: it goes on"):
        fetch(server.url("steady"), tmp_path / "file", SHA256, limits=Limits(seconds=0.3))
    size = (tmp_path / ".file.part").stat().st_size
    assert 0 < size < len(CONTENT)
    fetch(server.url("steady"), tmp_path / "file", SHA256)
    assert server.requests[-1] == ("steady", f"bytes={size}-")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DownloadError, match="found a device or a pipe; expected a file"):
        fetch(str(tmp_path / "pipe"), tmp_path / "file")


def test_a_length_that_is_no_number_is_refused(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="found a Content-Length of 'abc'; expected a number of bytes"):
        fetch(server.url("no_length"), tmp_path / "file", **QUICK)
    assert not (tmp_path / "file").exists()
