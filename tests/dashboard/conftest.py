"""Real Visdom servers, one of them shared, and a browser."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.browser import browser_page
from support.shared import shared_folder
from support.visdoms import Visdom, shared_visdom, visdom


@pytest.fixture(scope="session", autouse=True)
def _private_tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tokens of servers away from the user's; all processes of the test run share them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "XDG_STATE_HOME", str(shared_folder(tmp_path_factory) / "state"))
        yield


@pytest.fixture(scope="session")
def running_visdom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visdom]:
    """Yield a server; a test uses an environment of its own name and does not end the server."""
    with shared_visdom(shared_folder(tmp_path_factory)) as server:
        yield server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Visdom]:
    """Yield a server of the test's own."""
    with visdom(tmp_path / "saved") as server:
        yield server


@pytest.fixture
def page(server: Visdom) -> Iterator[Any]:
    """Yield a browser's page that shows the server's."""
    with browser_page() as page:
        page.goto(server.announced)
        page.wait_for_url(f"{server.url}/")
        yield page
