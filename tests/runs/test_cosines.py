"""Cosines between the tasks' gradients of a training, from its history."""

from pathlib import Path

import pytest

from mtlaerial.errors import DataError
from mtlaerial.runs.cosines import Cosines, cosines, joined

TASKS = ("semantics", "height")
HEADER = "step,cosine_features_semantics_height,cosine_parameters_semantics_height,cosine_semantics_height"


def history(folder: Path, *rows: str) -> Path:
    path = folder / "history.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def test_each_level_has_number_sum_least_and_sign_of_its_cosines(tmp_path: Path) -> None:
    features, parameters = cosines(history(tmp_path, "1,0.5,-0.25,9", "2,0.25,,9", "3,nan,0.75,9", "4,0,-0.5,9"), TASKS)
    at_features = {"measurements": 3, "total": 0.75, "least": 0.0, "negative": 0}
    at_parameters = {"measurements": 3, "total": 0.0, "least": -0.5, "negative": 2}
    assert features == Cosines(level="features", tasks=TASKS, **at_features)
    assert parameters == Cosines(level="parameters", tasks=TASKS, **at_parameters)
    assert features.mean == 0.25


def test_trainings_add_up_level_by_level(tmp_path: Path) -> None:
    first = cosines(history(tmp_path, "1,0.5,-0.25,"), TASKS)
    second = cosines(history(tmp_path, "1,-0.1,0.25,", "2,0.3,,"), TASKS)
    features, parameters = joined([*first, *second])
    assert (features.measurements, features.least, features.negative) == (3, -0.1, 1)
    assert features.total == pytest.approx(0.7)
    assert (parameters.measurements, parameters.total, parameters.negative) == (2, 0, 1)


def test_one_task_older_histories_and_runs_without_one_have_none(tmp_path: Path) -> None:
    assert cosines(history(tmp_path, "1,,,0.5"), TASKS) == ()
    assert cosines(history(tmp_path, "1,0.5,0.5,"), ("height",)) == ()
    assert cosines(tmp_path / "no.csv", TASKS) == ()


def test_a_damaged_history_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"history\.csv: found .*expected the history of a training"):
        cosines(history(tmp_path, "1,0.2?,0.5,"), TASKS)
