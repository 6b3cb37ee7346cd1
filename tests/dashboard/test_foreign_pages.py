"""Pages of other origins in the browser that has the dashboard open: they read, change and remove nothing."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mtlaerial.dashboard.client import Client, text_window
from support.browser import BROWSER
from support.visdoms import Visdom

pytestmark = BROWSER
ATTACK = """async ({url, outside}) => {
    const json = message => JSON.stringify(message)
    const window = {eid: 'mine', win: 'text', data: [{type: 'text', content: 'changed'}]}
    const bodies = {events: window, close: window, win_data: {...window, data: '{}'}, 'env/main': {eid: outside},
                    delete_env: {eid: 'mine'}, fork_env: {prev_eid: 'mine', eid: 'stolen'}, save: {data: ['mine']}}
    const reached = []
    for (const [path, body] of Object.entries(bodies)) {
        for (const type of ['text/plain', 'application/json', 'application/x-www-form-urlencoded']) {
            for (const mode of ['no-cors', 'cors']) {
                const headers = {'Content-Type': type}
                const request = {method: 'POST', mode, headers, credentials: 'include', body: json(body)}
                const answer = await fetch(`${url}/${path}`, request).catch(() => null)
                if (answer && answer.type != 'opaque' && answer.ok) reached.push(`${path} ${type} ${mode}`)
            }
        }
    }
    for (const path of ['socket', 'vis_socket']) {
        const opened = await new Promise(done => {
            const socket = new WebSocket(`${url.replace('http', 'ws')}/${path}`)
            socket.onopen = () => {
                for (const eid of ['mine', outside]) socket.send(json({cmd: 'delete_env', eid}))
                setTimeout(() => done(true), 500)
            }
            socket.onerror = () => done(false)
        })
        if (opened) reached.push(path)
    }
    const loaded = (kind, path) => new Promise(done => {
        const element = document.createElement(kind)
        element.onload = () => done(true)
        element.onerror = () => done(false)
        element.src = `${url}/${path}`
        document.body.append(element)
    })
    if (await loaded('script', 'static/js/jquery.min.js')) reached.push('script')
    document.body.innerHTML += `<iframe src="${url}/"></iframe><iframe name="frame"></iframe>
        <form target="frame" method="post" enctype="text/plain" action="${url}/events"><input name='{"x":"'></form>`
    document.forms[0].elements[0].value = `"},${json(window).slice(1)}`
    document.forms[0].submit()
    await new Promise(done => setTimeout(done, 500))
    return reached
}"""
"""Sends what a page can send, credentials included; returns what was answered, opened or loaded."""


class Foreign(BaseHTTPRequestHandler):
    """A page of another server."""

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><body>foreign</body>")


@pytest.fixture
def foreign() -> Iterator[int]:
    """Yield the port of a server with a foreign page."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Foreign) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost"])
def test_a_page_of_another_origin_gets_nowhere(server: Visdom, foreign: int, page: Any, host: str) -> None:
    """Not even in the browser that has the dashboard open; the port alone makes another origin."""
    client, outside = Client(server.url, "mine"), server.saved.parent / "scores.json"
    client.show("text", text_window("title", "unchanged"))
    client.keep()
    outside.write_text("{}")
    page.goto(f"http://{host}:{foreign}/")
    assert page.evaluate(ATTACK, {"url": server.url, "outside": "../scores"}) == []
    assert outside.read_text() == "{}"
    assert sorted(path.name for path in server.saved.glob("*.json")) == ["main.json", "mine.json"]
    assert server.window("mine", "text")["content"] == "unchanged"
    assert not [frame.url for frame in page.frames if frame.url.startswith(server.url)]


def test_a_name_that_was_rebound_shows_nothing(server: Visdom, page: Any) -> None:
    answer = page.goto(f"http://rebound.example:{server.port}/")
    assert answer.status == 403
    assert page.inner_text("body").startswith("Host: found another name")


def test_a_link_on_another_page_may_lead_to_the_announced_address(server: Visdom, foreign: int, page: Any) -> None:
    """As in the terminal of a notebook; without the token, the link leads to a refusal."""
    for address, reached in ((server.announced, True), (f"{server.url}/env/main", False)):
        page.goto(f"http://evil.example:{foreign}/")
        page.evaluate("address => { location.href = address }", address)
        page.wait_for_url(f"{server.url}/" if reached else address)
        page.wait_for_load_state()
        assert ("expected its token" in page.inner_text("body")) != reached
