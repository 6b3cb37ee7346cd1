"""Weights of the tasks at the end of a training, from its history."""

from pathlib import Path

import pytest

from mtlaerial.errors import DataError
from mtlaerial.runs.final_weights import final_weights

TASKS = ("semantics", "height")


def history(folder: Path, rows: list[str], header: str = "step,loss_height,weight_semantics,weight_height") -> Path:
    path = folder / "history.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_weights_are_means_over_the_last_tenth_of_the_updates(tmp_path: Path) -> None:
    rows = [f"{step},1.0,{step},{2 * step}" for step in range(10, 210, 10)]
    assert final_weights(history(tmp_path, rows), TASKS) == {"semantics": 195, "height": 390}


def test_the_last_row_counts_however_few_there_are(tmp_path: Path) -> None:
    assert final_weights(history(tmp_path, ["300,1.0,0.25,0.5"]), TASKS) == {"semantics": 0.25, "height": 0.5}


def test_a_training_of_one_task_and_a_run_without_history_have_none(tmp_path: Path) -> None:
    assert final_weights(history(tmp_path, ["300,1.0"], "step,loss_height"), ("height",)) == {}
    assert final_weights(tmp_path / "no.csv", TASKS) == {}


def test_a_damaged_history_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"history\.csv: found .*expected the history of a training"):
        final_weights(history(tmp_path, ["300,1.0,0.2?,0.5"]), TASKS)
