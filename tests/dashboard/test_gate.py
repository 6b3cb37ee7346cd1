"""The gate in front of Visdom: what other pages, programs and names send is refused, and changes nothing."""

import http.client
import json
import os
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.dashboard.client import Client, text_window
from support.paths import ROOT
from support.visdoms import Visdom, token_file

EVIL = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
JSON = {"Content-Type": "application/json"}
HANDSHAKE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==",
}  # fmt: skip
WINDOW = {"eid": "mine", "win": "text", "data": [{"type": "text", "content": "changed"}]}


@pytest.fixture
def token(running_visdom: Visdom) -> str:
    path = token_file(running_visdom.port)
    return path.read_text().strip() if path.exists() else ""


@pytest.fixture
def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def mine(running_visdom: Visdom) -> Iterator[Path]:
    """Yield the file of an environment with one window, which still is what it was after the test."""
    client = Client(running_visdom.url, "mine")
    client.show("text", text_window("title", "unchanged"))
    client.keep()
    yield running_visdom.saved / "mine.json"
    assert running_visdom.window("mine", "text")["content"] == "unchanged"


def ask(
    server: Visdom, method: str, path: str, headers: dict[str, str], message: Any = None
) -> tuple[int, str, dict[str, str]]:
    """Return status, text and headers of an answer."""
    body = None if message is None else json.dumps(message)
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        # After a handshake the connection stays open.
        text = "" if response.status == 101 else response.read().decode()
        return response.status, text, {name.lower(): value for name, value in response.getheaders()}


@pytest.mark.quick_cases(5, "asks a real server")
@pytest.mark.parametrize("endpoint", ["events", "close", "win_data", "update", "delete_env", "fork_env", "save"])
@pytest.mark.parametrize("entitled", [False, True], ids=["without token", "with token"])
def test_a_page_of_another_origin_changes_and_reads_nothing(
    running_visdom: Visdom, mine: Path, bearer: dict[str, str], endpoint: str, entitled: bool
) -> None:
    headers = EVIL | (bearer if entitled else {})
    status, text, _ = ask(running_visdom, "POST", f"/{endpoint}", headers, WINDOW)
    assert status == 403
    assert text.startswith("Origin: found a page of another server; expected the server's own page.")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://[", "file://"])
@pytest.mark.parametrize("path", ["/socket", "/vis_socket"])
def test_a_websocket_of_another_origin_is_refused(
    running_visdom: Visdom, bearer: dict[str, str], path: str, origin: str
) -> None:
    status, text, _ = ask(running_visdom, "GET", path, HANDSHAKE | bearer | {"Origin": origin})
    assert status == 403
    assert text.startswith("Origin: ")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "0.0.0.0", "["])
def test_a_name_that_was_rebound_to_this_machine_is_refused(
    running_visdom: Visdom, bearer: dict[str, str], host: str
) -> None:
    status, text, _ = ask(running_visdom, "GET", "/", bearer | {"Host": host.format(port=running_visdom.port)})
    assert status == 403
    assert text.startswith("Host: found another name; expected 127.0.0.1, localhost or [::1].")


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1:8097", "[::1]:8097", "LOCALHOST"])
def test_the_near_end_of_a_tunnel_may_have_another_port(
    running_visdom: Visdom, bearer: dict[str, str], host: str
) -> None:
    headers = bearer | {"Host": host, "Origin": f"http://{host}"}
    assert ask(running_visdom, "GET", "/", headers)[0] == 200


@pytest.mark.parametrize("path", ["/", "/env/mine", "/socket", "/static/js/main.js", "/?token=wrong", "/?token="])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}])
def test_nothing_is_served_without_the_token(running_visdom: Visdom, path: str, headers: dict[str, str]) -> None:
    status, text, _ = ask(running_visdom, "GET", path, headers)
    assert status == 403
    assert text.startswith("token: found none, or not that of this server; expected its token.")


def test_the_token_counts_in_no_other_address(running_visdom: Visdom, token: str) -> None:
    assert ask(running_visdom, "GET", f"/env/mine?token={token}", {})[0] == 403
    assert ask(running_visdom, "POST", f"/?token={token}", JSON, {})[0] == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_browser_that_names_another_site_is_refused(
    running_visdom: Visdom, bearer: dict[str, str], site: str
) -> None:
    status, text, _ = ask(running_visdom, "GET", "/env/mine", bearer | {"Sec-Fetch-Site": site})
    assert status == 403
    assert text.startswith("Sec-Fetch-Site: ")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_form_can_send_is_refused(
    running_visdom: Visdom, mine: Path, bearer: dict[str, str], content_type: str
) -> None:
    status, text, _ = ask(running_visdom, "POST", "/events", bearer | {"Content-Type": content_type}, WINDOW)
    assert status == 415
    assert "expected application/json" in text


@pytest.mark.parametrize(
    "name", ["../results/scores", "..\\scores", "/etc/scores", "..", ".", "a\0b", "a" * 201, "", 1]
)
def test_an_environment_has_a_name_without_a_path(running_visdom: Visdom, bearer: dict[str, str], name: object) -> None:
    messages = {"/env/main": {"eid": name}, "/events": WINDOW | {"eid": name}, "/save": {"data": [name]}}
    answers = {
        path: ask(running_visdom, "POST", path, bearer | JSON, message)[:2] for path, message in messages.items()
    }
    assert {path for path, (status, _) in answers.items() if status != 400} == set()
    assert {text.partition(";")[0] for _, text in answers.values()} == {
        "environment: found a long name, or one with a path"
    }


@pytest.mark.parametrize("path", ["/env/..%2Fscores", "/env/%2e%2e%2fscores", "/compare/main+..%2Fscores", "/env/"])
def test_an_address_holds_no_path_for_a_name(running_visdom: Visdom, bearer: dict[str, str], path: str) -> None:
    assert ask(running_visdom, "POST", path, bearer | JSON, {"sid": "none"})[0] == 400


@pytest.mark.parametrize(
    "command",
    [
        {"cmd": "delete_env", "eid": "../scores"},
        {"cmd": "save", "eid": "../scores", "prev_eid": "mine", "data": {}},
        {"cmd": "save", "eid": "copy", "prev_eid": "../scores", "data": {}},
        {"cmd": "echo"},
        {},
        [],
    ],
)
def test_the_page_cannot_name_a_file_elsewhere(
    running_visdom: Visdom, mine: Path, bearer: dict[str, str], command: object
) -> None:
    websocket = pytest.importorskip("websocket")
    outside = mine.parent.parent / "scores.json"
    outside.write_text("{}")
    ask(running_visdom, "POST", "/env/main", bearer | JSON, {"eid": "../scores"})
    socket = websocket.create_connection(f"ws://127.0.0.1:{running_visdom.port}/socket", header=bearer, timeout=60)
    with closing(socket):
        socket.send(json.dumps(command))
        received = [socket.recv_data() for _ in range(4)]
    assert outside.read_text() == "{}"
    opcode, reason = received[-1]  # after the page's number, the layouts and the environments
    assert opcode == websocket.ABNF.OPCODE_CLOSE
    assert reason[:2] == (1008).to_bytes(2, "big")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", f"/{name}") for name in ("update", "close", "delete_env", "win_data", "win_hash", "env_state")),
        *(("POST", f"/{name}") for name in ("fork_env", "socket_wrap", "vis_socket_wrap")),
        *(("GET", f"/{name}") for name in ("vis_socket", "socket_wrap", "error/text", "user/other", "anything")),
    ],
)
def test_what_neither_page_nor_training_needs_is_not_served(
    running_visdom: Visdom, bearer: dict[str, str], method: str, path: str
) -> None:
    status, text, _ = ask(running_visdom, method, path, bearer | JSON, {"eid": "main", "win": None})
    assert status == 404
    assert text.startswith("address: found none that is served")


@pytest.mark.parametrize("body", ["[" * 100_000, "{", "null", "[]", '{"eid": "mine", "win": ["text"]}', "\udcff"])
def test_a_message_that_is_no_object_is_refused(running_visdom: Visdom, bearer: dict[str, str], body: str) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", running_visdom.port, timeout=60)) as connection:
        connection.request("POST", "/events", body.encode(errors="surrogateescape"), bearer | JSON)
        response = connection.getresponse()
        assert response.status == 400
        assert response.read().startswith(b"message: found no JSON object")


def test_the_announced_address_leads_to_the_page(running_visdom: Visdom, token: str) -> None:
    """A link on another site may lead there; a cookie opens the page, and pages of other sites do not get it sent."""
    status, text, headers = ask(running_visdom, "GET", f"/?token={token}", {"Sec-Fetch-Site": "cross-site"})
    assert status == 200
    assert 'content="0; url=/"' in text
    cookie, _, attributes = headers["set-cookie"].partition("; ")
    assert set(attributes.lower().split("; ")) == {"httponly", "path=/", "samesite=strict"}
    for path in ("/", "/env/mine", "/static/js/main.js", "/user/style.css"):
        assert (
            ask(running_visdom, "GET", path, {"Cookie": f"other=1; {cookie}", "Sec-Fetch-Site": "same-origin"})[0]
            == 200
        )


@pytest.mark.parametrize("path", ["/", "/?token=wrong", "/static/js/main.js", "/nowhere", "/env/main"])
def test_no_answer_may_be_framed_or_guessed_at_or_read_elsewhere(
    running_visdom: Visdom, bearer: dict[str, str], path: str
) -> None:
    headers = ask(running_visdom, "GET", path, bearer)[2]
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize("entitled", [False, True], ids=["without token", "with token"])
def test_a_long_body_is_refused_before_it_is_read(
    running_visdom: Visdom, bearer: dict[str, str], entitled: bool
) -> None:
    headers = {"Host": "localhost", "Content-Type": "application/json", "Content-Length": str(64 * 2**20)}
    lines = [f"{name}: {value}" for name, value in (headers | (bearer if entitled else {})).items()]
    with socket.create_connection(("127.0.0.1", running_visdom.port), timeout=5) as connection:
        connection.sendall("\r\n".join(["POST /events HTTP/1.1", *lines, "", ""]).encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 400" if entitled else b"HTTP/1.1 403")


def test_windows_have_a_limit(running_visdom: Visdom, bearer: dict[str, str]) -> None:
    statuses = []
    for number in range(102):
        message = WINDOW | {"eid": "crowded", "win": str(min(number, 100))}
        statuses.append(ask(running_visdom, "POST", "/events", bearer | JSON, message)[0])
    assert statuses == [200] * 100 + [400] * 2
    assert ask(running_visdom, "POST", "/events", bearer | JSON, WINDOW | {"eid": "crowded", "win": "7"})[0] == 200


def test_environments_have_a_limit() -> None:
    pytest.importorskip("tornado")
    from mtlaerial.dashboard.handlers import ENVIRONMENTS, Invalid, _require_room

    state = {str(number): {"jsons": {}} for number in range(ENVIRONMENTS)}
    _require_room(state, ["7"], "window")
    with pytest.raises(Invalid, match="found no room; expected 1000 environments of 100 windows at most"):
        _require_room(state, ["another"], "window")


def test_the_documentation_names_the_limits() -> None:
    pytest.importorskip("tornado")
    from mtlaerial.dashboard import handlers, server

    text = " ".join((ROOT / "docs" / "dashboard.md").read_text(encoding="utf-8").split())
    assert f"more than {server.BODY_BYTES >> 20} MiB, or that takes longer than {server.BODY_SECONDS:.0f} s" in text
    assert f"more than {handlers.ENVIRONMENTS:,} environments, or {handlers.WINDOWS} windows in one" in text
    assert f"longer than {handlers.NAME_BYTES} bytes" in text
    assert re.search(r"letters, digits, spaces and `(.*?)`", text)[1] == "_.,=@()-"
    assert all(handlers.NAME.fullmatch(f"a{sign}") for sign in "_.,=@()-b1 ")


def test_only_their_owner_reads_tokens(running_visdom: Visdom) -> None:
    path = token_file(running_visdom.port)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.parent.parent == Path(os.environ["XDG_STATE_HOME"])
