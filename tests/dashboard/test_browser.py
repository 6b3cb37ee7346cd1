"""The dashboard in a real browser: a training's curves grow, its patches change, and its buttons work."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.config import DashboardSpec
from mtlaerial.dashboard.client import Client, text_window
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.job import TrainingJob
from support import tiny
from support.browser import BROWSER
from support.tiny import Folders
from support.visdoms import Visdom
from support.waiting import eventually

POINTS = "document.querySelector('.js-plotly-plot').data[0].x.length"
pytestmark = BROWSER
SEND = """message => new Promise(done => {
    const socket = new WebSocket(`ws://${location.host}/socket`)
    socket.onopen = () => { socket.send(JSON.stringify(message)); setTimeout(() => done('open'), 1000) }
    socket.onclose = event => done(`${event.code}`)
})"""
"""Sends a command as the page's buttons do; returns whether the connection was closed."""


@pytest.fixture
def training(
    server: Visdom, tiles: Folders, statistics: Statistics, tmp_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a training that ends with the test."""
    plan = tiny.run_plan(epochs=5000, epoch_patches=8, log_every=1)
    dashboard = DashboardSpec(url=server.url, seconds=0.5, samples=2)
    job = TrainingJob(
        plan=plan,
        statistics=statistics,
        training_tiles=tuple(tiles["train"]),
        validation_tiles=tuple(tiles["val"]),
        folder=tmp_path / "run",
        dashboard=dashboard,
    )
    code = (
        "import sys; from mtlaerial.training.job import TrainingJob; "
        "from mtlaerial.pipeline.run_training import run_training; "
        "run_training(TrainingJob.model_validate_json(sys.stdin.read()))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    assert process.stdin
    process.stdin.write(job.model_dump_json().encode())
    process.stdin.close()
    yield process
    process.kill()
    process.wait()


def test_curves_grow_and_patches_change_while_a_training_runs(
    server: Visdom, training: subprocess.Popen[bytes], page: Any
) -> None:
    client = Client(server.url, "city_equal_seed0", timeout=240)
    eventually(lambda: client.has("patches"))
    page.goto(client.page)
    page.wait_for_function(f"document.querySelector('.js-plotly-plot') && {POINTS} > 3")
    before = page.evaluate(POINTS)
    page.wait_for_function(f"{POINTS} > {before}")
    titles = page.locator(".bar").all_inner_texts()
    for title in ("training loss of height", "validation of semantics", "agreement of the tasks' gradients"):
        assert any(title in text for text in titles), titles
    image = page.locator("img[src^='data:image/webp']")
    image.wait_for()
    assert page.evaluate("document.querySelector(\"img[src^='data:image/webp']\").naturalWidth") > 500
    source = image.get_attribute("src")
    page.wait_for_function("old => document.querySelector(\"img[src^='data:image/webp']\").src != old", arg=source)
    assert page.locator("img[src^='data:image/webp']").count() == 1
    assert "(generated data)" in page.inner_text("body")
    assert page.failed == []
    assert training.poll() is None


def test_the_page_s_buttons_work_and_take_no_path(server: Visdom, page: Any) -> None:
    client = Client(server.url, "mine")
    client.show("text", text_window("title", "content"))
    page.goto(client.page)
    page.wait_for_function("document.body.innerText.includes('content')")
    for command in ("save", "delete_env"):
        assert page.evaluate(SEND, {"cmd": command, "prev_eid": "mine", "eid": "copy", "data": {}}) == "open"
        assert (server.saved / "copy.json").exists() == (command == "save")
    assert page.evaluate(SEND, {"cmd": "save", "prev_eid": "mine", "eid": "../copy", "data": {}}) == "1008"
    assert page.failed == []


def test_the_address_opens_on_an_index_whose_runs_can_be_laid_over_each_other(server: Visdom, page: Any) -> None:
    runs = {"city_uw_seed0": "1 &lt; 2", "city_gls_seed0": "epoch 1"}
    line = {"type": "scatter", "name": "height", "x": [0, 1], "y": [2, 1], "line": {"color": "#0072B2"}}
    for name, content in runs.items():
        client = Client(server.url, name)
        client.show("training", text_window("training", f"<p>{content}</p>"))
        client.show("loss", {"data": [line], "layout": {}, "opts": {"title": "loss"}})
    page.goto(f"{server.url}/")
    assert page.locator("tbody tr").all_inner_texts() == ["\tcity_gls_seed0\tepoch 1", "\tcity_uw_seed0\t1 < 2"]
    Client(server.url, "city_later_seed0").show("training", text_window("training", "<p>epoch 0</p>"))
    button = page.locator("#overlay")
    for name in runs:
        assert button.is_disabled()
        page.check(f"input[value={name}]")
    page.wait_for_function("document.body.innerText.includes('city_later_seed0')")  # the index goes on
    button.click()
    page.wait_for_url(f"{server.url}/compare/*")
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot').length == 1")
    drawn = page.evaluate("document.querySelector('.js-plotly-plot').data.map(line => [line.name, line.line.dash])")
    assert drawn == [["gls: height", "solid"], ["uw: height", "dash"]]
    client.show("loss", {"data": [{**line, "x": [0, 1, 2], "y": [2, 1, 1]}], "layout": {}, "opts": {"title": "loss"}})
    page.wait_for_function("document.querySelector('.js-plotly-plot').data[0].x.length == 3")
    page.goto(f"{server.url}/")
    page.click("a:text('city_uw_seed0')")
    page.wait_for_function("document.body.innerText.includes('1 < 2')")
    assert page.failed == []
