"""The dashboard in a real browser while a training runs: the curves grow, and the patches appear and change."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.config import DashboardSpec
from mtlaerial.dashboard.client import Client
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.job import TrainingJob
from support import tiny
from support.trainings import Folders
from support.visdoms import Visdom, visdom
from support.waiting import eventually

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SECONDS = 60_000
"""Milliseconds that anything may take, on a busy machine."""
POINTS = "document.querySelector('.js-plotly-plot').data[0].x.length"
pytestmark = [
    pytest.mark.full("a real browser"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium"),
]


@pytest.fixture
def page() -> Iterator[Any]:
    """Return a page that loads resources from this machine only."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1480, "height": 1000})
        page.set_default_timeout(SECONDS)
        page.failed = []
        page.on("requestfailed", lambda request: page.failed.append(request.url))
        page.on("pageerror", lambda error: page.failed.append(str(error)))
        yield page
        browser.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Visdom]:
    with visdom(tmp_path / "saved") as server:
        yield server


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
