"""Process pools: every item is done once, and errors keep their type."""

import os
from pathlib import Path

import pytest

from mtlaerial.errors import DataError
from mtlaerial.system.process_pool import in_processes
from support.pool_tasks import die, refuse, touch


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_item_is_done_once(jobs: int, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abc"]
    assert sorted(in_processes(touch, paths, jobs)) == paths
    here = {path.read_text() == str(os.getpid()) for path in paths}
    assert here == {jobs == 1}


@pytest.mark.parametrize("jobs", [1, 2])
def test_errors_come_out_as_they_are(jobs: int) -> None:
    with pytest.raises(DataError) as caught:
        list(in_processes(refuse, [Path("a"), Path("b")], jobs))
    assert str(caught.value) in {f"{name}: found no luck; expected luck. Try again." for name in "ab"}


def test_a_killed_process_is_reported() -> None:
    with pytest.raises(DataError, match="fewer processes"):
        list(in_processes(die, [Path("a"), Path("b")], 2))
