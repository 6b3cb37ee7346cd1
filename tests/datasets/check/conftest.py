"""The clean data set that tests of the check start from."""

from pathlib import Path

import pytest

from support.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)
