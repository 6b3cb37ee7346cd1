"""The sender of windows to Visdom: it blocks no training, and logs once when the server goes or returns."""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.dashboard.client import Client, NoAnswer, Window, text_window
from mtlaerial.dashboard.sender import Sender
from support.logs import messages
from support.visdoms import Double, free_port, token_file
from support.waiting import eventually

SECONDS, RETRY, TIMEOUT = 0.05, 0.05, 1.0


def text(content: object) -> Callable[[], Window]:
    return lambda: text_window("title", str(content))


def shown(server: Double, name: str) -> str:
    """Return the text of a text window; empty if there is no such window."""
    return str(server.windows[name]["data"][0]["content"]) if name in server.windows else ""


def seconds_of(call: Callable[[], None]) -> float:
    begun = time.monotonic()
    call()
    return time.monotonic() - begun


@pytest.fixture
def server() -> Iterator[Double]:
    double = Double()
    yield double
    double.end()


@pytest.fixture
def sender(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[str], Sender]]:
    caplog.set_level(logging.INFO)
    senders: list[Sender] = []

    def make(url: str) -> Sender:
        senders.append(Sender(Client(url, "run", TIMEOUT), SECONDS, RETRY))
        return senders[-1]

    yield make
    for one in senders:
        one.close()


def test_windows_are_replaced_and_kept_at_the_end(
    server: Double, sender: Callable[[str], Sender], caplog: pytest.LogCaptureFixture
) -> None:
    one = sender(server.url)
    for number in (1, 2):
        one.put("curve", text(number))
        eventually(lambda number=number: shown(server, "curve") == str(number))
    one.put("curve", text("last"))
    one.close()
    assert shown(server, "curve") == "last"
    assert server.posts[-1] == ("save", {"eid": "run", "data": ["run"]})
    assert {message["eid"] for _, message in server.posts} == {"run"}
    assert messages(caplog, logging.INFO) == [f"dashboard: this training is shown at {server.url}/env/run"]
    assert messages(caplog, logging.WARNING) == []


def test_outdated_windows_are_neither_built_nor_sent(server: Double) -> None:
    one, built = Sender(Client(server.url, "run"), seconds=1000), []
    for number in range(1000):
        one.put("curve", lambda number=number: built.append(number) or text_window("", str(number)))
    one.close()
    assert built == [999]
    assert server.events == ["curve"]


def test_between_updates_there_is_a_pause(server: Double) -> None:
    one, begun = Sender(Client(server.url, "run"), seconds=0.2), time.monotonic()
    while time.monotonic() < begun + 1:
        one.put("curve", text("new"))
        time.sleep(0.001)
    one.close()
    assert 1 <= len(server.events) <= (time.monotonic() - begun) / 0.2 + 1


@pytest.mark.quick_cases(1, "waits for a server")
@pytest.mark.parametrize("behaviour", ["absent", "error", "nonsense", "hang", "refuse"])
def test_a_server_that_does_not_answer_is_logged_once(
    sender: Callable[[str], Sender], caplog: pytest.LogCaptureFixture, behaviour: str
) -> None:
    port = free_port()
    server = None if behaviour == "absent" else Double(port, behaviour)
    one = sender(f"http://127.0.0.1:{port}")
    assert min(seconds_of(lambda name=name: one.put(name, text(1))) for name in ("first", "second", "third")) < TIMEOUT
    eventually(lambda: messages(caplog, logging.WARNING))
    time.sleep(2.5 * TIMEOUT if behaviour == "hang" else 10 * RETRY)  # further attempts are not told of
    one.put("second", text(2))
    [warning] = messages(caplog, logging.WARNING)
    assert "the training goes on" in warning
    assert messages(caplog, logging.INFO) == []
    if server:
        server.end()
    server = Double(port)
    eventually(lambda: shown(server, "second") == "2")
    assert shown(server, "first") == "1"
    eventually(lambda: messages(caplog, logging.INFO))
    assert len(messages(caplog, logging.INFO)) == len(messages(caplog, logging.WARNING)) == 1
    one.close()
    server.end()


@pytest.fixture
def token_of(server: Double) -> Iterator[Path]:
    """Yield where the token of the double would stand; it is removed after the test."""
    path = token_file(server.server_address[1])
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    yield path
    path.unlink(missing_ok=True)


def test_the_token_is_read_from_its_file_each_time(server: Double, token_of: Path) -> None:
    client = Client(server.url, "run")
    for content in ("first\n", "second"):
        token_of.write_text(content)
        client.has("curve")
    assert server.credentials == {"Bearer first", "Bearer second"}


def test_a_visdom_without_a_gate_is_sent_no_token(server: Double) -> None:
    Client(server.url, "run").has("curve")
    assert server.credentials == {""}


def test_another_machine_is_sent_no_token(token_of: Path) -> None:
    token_of.write_text("secret")
    port = token_of.stem.rpartition("_")[2]
    from mtlaerial.dashboard.token import read_token

    assert read_token(f"http://localhost:{port}") == "secret"
    assert read_token(f"http://elsewhere:{port}") is None


@pytest.mark.quick_cases(2, "waits for a server")
@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        (b"", "it asks for its token, which is not in {path}"),
        (b"\xff", "it asks for its token, which is not in {path}"),
        (b"two\nlines", "it asks for its token, which is not in {path}"),
        (b"old", "it refuses the token in {path}, which may be of another dashboard"),
    ],
)
def test_a_refusal_is_logged_once_with_the_place_of_the_token(
    server: Double,
    token_of: Path,
    sender: Callable[[str], Sender],
    caplog: pytest.LogCaptureFixture,
    token: bytes,
    sentence: str,
) -> None:
    server.behaviour = "refuse"
    token_of.write_bytes(token)
    one = sender(server.url)
    one.put("curve", text(1))
    eventually(lambda: len(server.posts) > 3)
    assert messages(caplog, logging.WARNING) == [
        f"dashboard: {server.url} does not show this training ({sentence.format(path=token_of)}); "
        "the training goes on, and history.csv will have everything"
    ]
    assert "old" not in caplog.text


def test_a_refusal_after_an_absence_is_logged_too(
    sender: Callable[[str], Sender], caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    sender(f"http://127.0.0.1:{port}").put("curve", text(1))
    eventually(lambda: messages(caplog, logging.WARNING))
    server = Double(port, "refuse")
    eventually(lambda: len(messages(caplog, logging.WARNING)) == 2)
    assert "refused" in messages(caplog, logging.WARNING)[0]
    assert "token" in messages(caplog, logging.WARNING)[1]
    server.end()


def test_what_a_server_answers_is_quoted_on_one_line(server: Double) -> None:
    server.behaviour = "full"
    with pytest.raises(NoAnswer, match=r"^it answers 400: no \[31m room$"):
        Client(server.url, "run").has("curve")


def test_a_new_server_gets_every_window_though_nobody_saw_the_old_one_go(
    server: Double, sender: Callable[[str], Sender]
) -> None:
    one = sender(server.url)
    one.put("first", text("first"))
    one.put("second", text("second"))
    eventually(lambda: len(server.windows) == 2)
    server.windows.clear()
    one.put("second", text("again"))
    eventually(lambda: shown(server, "second") == "again")
    assert shown(server, "first") == "first"


def test_windows_that_did_not_change_are_not_sent_again(server: Double, sender: Callable[[str], Sender]) -> None:
    one = sender(server.url)
    one.put("first", text("first"))
    eventually(lambda: server.windows)
    for number in range(3):
        one.put("second", text(number))
        eventually(lambda number=number: shown(server, "second") == str(number))
    assert server.events.count("first") == 1


def test_closing_takes_no_longer_than_it_may(sender: Callable[[str], Sender]) -> None:
    server = Double(behaviour="hang")
    one = Sender(Client(server.url, "run", timeout=60), SECONDS)
    one.put("curve", text("never"))
    begun = time.monotonic()
    one.close(seconds=0.5)
    assert time.monotonic() - begun < 50
    server.end()


def test_a_window_that_cannot_be_made_says_so_and_the_others_are_shown(
    server: Double, sender: Callable[[str], Sender], caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Window:
        raise ValueError("no <figure>")

    one = sender(server.url)
    for number in (1, 2):
        one.put("broken", broken)
        one.put("whole", text(number))
        eventually(lambda number=number: shown(server, "whole") == str(number))
    assert shown(server, "broken") == "broken cannot be drawn (ValueError: no &lt;figure&gt;)"
    assert messages(caplog, logging.WARNING) == ["dashboard: broken cannot be drawn (ValueError: no <figure>)"]


def test_proxies_are_left_aside(server: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    Client(server.url, "run").show("curve", text_window("", "seen"))
    assert shown(server, "curve") == "seen"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_windows_that_are_not_valid_json_are_not_sent(server: Double, value: float) -> None:
    content: dict[str, Any] = {"data": [{"y": [value]}]}
    with pytest.raises(ValueError, match="JSON"):
        Client(server.url, "run").show("curve", content)
    assert server.posts == []


def test_an_answer_that_never_ends_is_not_waited_for(server: Double) -> None:
    server.behaviour = "hang"
    with pytest.raises(NoAnswer, match="timed out"):
        Client(server.url, "run", TIMEOUT).has("curve")
