"""Rows of the history: means over the updates since the last row."""

import pytest
import torch

from mtlaerial.training.history import History
from mtlaerial.training.train_step import Update
from support import tiny


@pytest.mark.parametrize(
    ("losses", "means"),
    [
        ([[2.0, 4.0], [6.0, 0.0], [1.0, 0.0]], {"semantics": 3.0, "height": 4.0}),
        ([[2.0, 0.0], [4.0, 0.0]], {"semantics": 3.0, "height": 0.0}),
    ],
)
def test_batches_without_truth_of_a_task_do_not_lower_its_loss(
    losses: list[list[float]], means: dict[str, float]
) -> None:
    history = History(tiny.run_plan(), torch.device("cpu"))
    for row in losses:
        history.add(Update(torch.tensor(row), torch.ones(2), None))
    assert history.end_row(len(losses)) == len(losses)
    assert {task: history.rows[0][f"loss_{task}"] for task in means} == pytest.approx(means)
