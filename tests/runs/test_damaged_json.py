"""Records in JSON that are damaged, or nested without end, are refused in one sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.errors import DataError
from mtlaerial.runs.cost import load_cost, load_prediction_cost
from mtlaerial.scoring.scores_file import load_scores
from mtlaerial.tiles.record import load_record

READERS: dict[str, Callable[[Path], Any]] = {
    "cost.json": load_cost,
    "prediction_cost.json": load_prediction_cost,
    "scores.json": load_scores,
    "tile.json": lambda path: load_record(path.parent),
}


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "{", '{"format": ' + "9" * 5_000 + "}"])
@pytest.mark.parametrize("name", READERS)
def test_a_damaged_record_is_refused(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        READERS[name](path)
    assert str(caught.value).startswith(f"{path}: found ")
    assert "\n" not in str(caught.value)
