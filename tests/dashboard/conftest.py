"""The real Visdom server that tests share."""

from collections.abc import Iterator

import pytest

from support.shared import shared_folder
from support.visdoms import Visdom, shared_visdom


@pytest.fixture(scope="session")
def running_visdom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visdom]:
    """Yield a server; a test uses an environment of its own name and does not end the server."""
    with shared_visdom(shared_folder(tmp_path_factory)) as server:
        yield server
