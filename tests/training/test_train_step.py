"""The training step: passes of a batch, what a weighting observes, and rows of the history."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from torch import Tensor

from mtlaerial.errors import ConfigError
from mtlaerial.runs.history_columns import LEVELS
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.train import train
from mtlaerial.training.trainer import Trainer
from support import tiny
from support.step_gradients import gradients
from support.tiny import Folders
from support.weightings import every_weighting


@pytest.mark.quick_cases(4, "trains a network a case")
# GradDrop masks each element of the features at random: another mask for other passes.
@pytest.mark.parametrize("name", every_weighting(without=["graddrop"]))
def test_passes_add_up_to_the_batch(make_trainer: Callable[..., Trainer], name: str) -> None:
    whole, parts = (gradients(make_trainer(name, batch=4, accumulate=number)) for number in (1, 2))
    assert whole.norm() > 0
    assert (whole - parts).norm() < 1e-5 * whole.norm()


def test_a_batch_is_divided_evenly() -> None:
    with pytest.raises(ConfigError, match=r"found 6; expected a multiple of accumulate \(4\)"):
        tiny.training_spec(batch=6, accumulate=4)


def test_dropout_differs_between_passes_and_is_repeated(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer(batch=4, accumulate=2)
    (drawn,) = trainer.update.batches.draw(0)
    first, second = drawn.parts(2)
    assert first.seed != second.seed
    assert [part.seed for part in trainer.update.batches.draw(0)[0].parts(2)] == [first.seed, second.seed]
    assert trainer.update.batches.draw(1)[0].seed != drawn.seed


def test_parameters_of_a_weighting_are_updated_without_decay(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer("uw", learning_rate=0.01, weight_decay=10.0)
    trainer.update(0)
    # Adam's first step is the rate, along the sign; a decay of 10 does not touch what is not the network's.
    for learned in trainer.weighting.parameters():
        torch.testing.assert_close(learned.detach().abs().cpu(), torch.tensor(0.01))


def test_the_forward_pass_after_the_update_changes_no_statistics(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer("famo")
    trainer.network.train()
    observed: list[Tensor] = []
    observe = trainer.weighting.observe
    trainer.weighting.observe = lambda losses: (observed.append(losses), observe(losses))[1]  # type: ignore[method-assign]
    before = trainer.update(0).losses
    layers = [layer for layer in trainer.network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert all(int(layer.num_batches_tracked) == 1 for layer in layers)
    assert all(layer.track_running_stats for layer in layers)
    assert (observed[0] != before).all()
    torch.testing.assert_close(observed[0], before, rtol=0.2, atol=0)


def test_the_history_has_rows_in_intervals_and_at_the_end_of_epochs(
    tiles: Folders, statistics: Statistics, tmp_path: Path
) -> None:
    plan = tiny.run_plan(epochs=2, epoch_patches=10, log_every=2)
    train(tiny.job(plan, statistics, tiles["train"], tiles["val"], tmp_path / "run"))
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    assert history["step"].tolist() == [2, 4, 5, 6, 8, 10]
    assert history["epoch"].tolist() == [0.4, 0.8, 1, 1.2, 1.6, 2]
    assert history["val_score"].notna().tolist() == [False, False, True, False, False, True]
    for level in LEVELS:
        assert history[f"cosine_{level}_semantics_height"].between(-1, 1).all()
        assert history[[f"norm_{level}_semantics", f"norm_{level}_height"]].gt(0).all(axis=None)
    sparse = tiny.run_plan(epochs=2, epoch_patches=10, log_every=1000)
    train(tiny.job(sparse, statistics, tiles["train"], tiles["val"], tmp_path / "sparse"))
    whole = pd.read_csv(tmp_path / "sparse" / "history.csv")
    assert whole["step"].tolist() == [5, 10]
    mean = (2 * history["loss_height"][0] + 2 * history["loss_height"][1] + history["loss_height"][2]) / 5
    assert whole["loss_height"][0] == pytest.approx(mean, rel=1e-4)
    weights, sparse_weights = (load_file(tmp_path / name / "model.safetensors") for name in ("run", "sparse"))
    assert all(torch.equal(weights[key], sparse_weights[key]) for key in weights)


def test_a_method_of_one_task_has_no_conflict(tiles: Folders, statistics: Statistics, tmp_path: Path) -> None:
    train(tiny.job(tiny.run_plan(("height",), epochs=1), statistics, tiles["train"], [], tmp_path))
    assert not [
        name for name in pd.read_csv(tmp_path / "history.csv") if str(name).startswith(("norm", "cosine", "weight"))
    ]


def test_keys_of_updates_are_checked() -> None:
    for wrong in ({"accumulate": 0}, {"clip_norm": 0.0}, {"log_every": 0}):
        with pytest.raises((ConfigError, ValidationError)):
            tiny.training_spec(**wrong)
