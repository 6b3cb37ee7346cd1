"""Format numbers of files that the package reads again."""

from pathlib import Path
from typing import Any

import pytest

from mtlaerial.errors import DataError
from mtlaerial.system.file_format import require_format


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"format": 3}, "found format 3, which a newer mtlaerial wrote; expected format 2"),
        ({}, "found format 1, which an older mtlaerial wrote; expected format 2.*Run: convert it"),
        ({"format": "two"}, "found the format 'two'"),
        ({"format": True}, "found the format True"),
    ],
)
def test_a_file_of_another_format_is_refused_in_one_sentence(data: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        require_format(Path("run.yaml"), data, 2, "Run: convert it")


def test_a_file_of_the_current_format_is_accepted() -> None:
    require_format(Path("run.yaml"), {"format": 2}, 2, "Run: convert it")
