"""Networks that are wrong in evaluation mode, where no validation tile tells of it."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from mtlaerial.models import Network
from mtlaerial.runs.progress_file import last_record
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.evaluation_mode import evaluation_mode_fault
from mtlaerial.training.train import train
from mtlaerial.training.trainer import Trainer
from support import tiny
from support.tiny import Folders


def updated(trainer: Trainer) -> Trainer:
    """Return a trainer after all updates."""
    while trainer.step < trainer.spec.steps:
        trainer.update(trainer.step)
        trainer.step += 1
    return trainer


def move_running_means(network: nn.Module, distance: float) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            module.running_mean += distance


@pytest.mark.quick_cases(1, "24 updates a case")
@pytest.mark.parametrize("ema", [0.5, 0.0])
def test_statistics_that_do_not_fit_are_noticed_by_the_error_of_training_patches(
    make_trainer: Callable[..., Trainer], ema: float
) -> None:
    trainer = updated(make_trainer(epochs=12, epoch_patches=8, batch=4, learning_rate=3e-3, ema=ema))
    assert evaluation_mode_fault(trainer, trainer.plan.tasks) == ""
    network = trainer.evaluation.network
    move_running_means(network.heads["height"], 100.0)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    text = evaluation_mode_fault(trainer, trainer.plan.tasks)
    assert "height is off by" in text
    assert "semantics" not in text
    assert not any(module.training for module in network.modules())
    torch.testing.assert_close(dict(network.state_dict()), before, rtol=0, atol=0)
    assert evaluation_mode_fault(trainer, ["semantics"]) == ""  # heights have scores of validation tiles
    move_running_means(network.heads["semantics"], -100.0)
    assert "semantics is wrong at" in evaluation_mode_fault(trainer, ["semantics"])


def test_windows_of_the_prediction_are_looked_at(
    make_trainer: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that is right on patches, and far off in larger windows."""
    trainer, right = make_trainer(), type(make_trainer().network).outputs

    def outputs(network: Network, features: tuple[torch.Tensor, ...]) -> dict[str, torch.Tensor]:
        found = right(network, features)
        return {task: output + 1e3 * (output.shape[-1] > trainer.spec.patch) for task, output in found.items()}

    monkeypatch.setattr(type(trainer.network), "outputs", outputs)
    text = evaluation_mode_fault(trainer, trainer.plan.tasks)
    assert "in windows of 96 pixels" in text  # a whole tile
    assert "height is off by 5e+03 m" in text
    assert "semantics" not in text
    assert evaluation_mode_fault(trainer, ["semantics"]) == ""


@pytest.mark.full("a training")
def test_a_training_without_validation_tiles_ends_with_a_warning_of_it(
    tiles: Folders, statistics: Statistics, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan = tiny.run_plan(learning_rate=1e4, epochs=1)
    with caplog.at_level(logging.WARNING):
        train(tiny.job(plan, statistics, tiles["train"], [], tmp_path))
    last = last_record(tmp_path)
    assert last
    assert "In evaluation mode" in last.warning
    assert "Worse than a constant prediction" in last.warning
    assert last.warning in caplog.text


def test_truth_that_is_not_trained_is_not_compared(
    tiles: Folders, statistics: Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With heights up to 0 and all classes but one untrained, what is left is right in both modes."""
    changed = statistics.model_copy(update={"zero_height": False})
    name = next(entry.name for entry in statistics.classes if entry.pixels)
    weights = {entry.name: float(entry.name == name) for entry in statistics.classes}
    plan = tiny.run_plan(class_weights=weights)
    trainer = Trainer(tiny.job(plan, changed, tiles["train"], []))
    code = statistics.codes([name])[0]

    def outputs(_: nn.Module, features: tuple[torch.Tensor]) -> dict[str, torch.Tensor]:
        patches, side = len(features[0]), 4 * features[0].shape[-1]
        scores = torch.zeros(patches, len(statistics.classes), side, side)
        scores[:, code] = 1.0
        return {"semantics": scores, "height": torch.full((patches, 1, side, side), -1.0)}

    seen: list[tuple[str, float]] = []
    monkeypatch.setattr(type(trainer.network), "outputs", outputs)
    faults = "mtlaerial.training.evaluation_mode._fault"
    monkeypatch.setattr(faults, lambda task, error, *_: seen.append((task, error)) or "")
    evaluation_mode_fault(trainer, plan.tasks)
    for task, error in seen:
        if task == "semantics":
            assert error == 0
        else:
            assert error > 5.0  # -5 m everywhere, and the true heights are above 0
    assert len(seen) == 4  # on patches and in windows
