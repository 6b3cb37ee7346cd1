"""The real Visdom server that tests share."""

import os
from collections.abc import Iterator

import pytest

from support.shared import shared_folder
from support.visdoms import Visdom, shared_visdom


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
