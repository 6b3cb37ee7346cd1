"""Gradients in 16-bit floats: clipping, and updates that overflow."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from lightning_fabric.plugins.precision import MixedPrecision
from torch import nn

from mtlaerial.training.trainer import Trainer
from support.step_gradients import flat


def norm(parameters: Iterable[nn.Parameter]) -> float:
    return float(flat(parameter.grad for parameter in parameters if parameter.grad is not None).norm())


def test_long_gradients_are_shortened(make_trainer: Callable[..., Trainer]) -> None:
    trainer, free = make_trainer(clip_norm=1e-3), make_trainer()
    trainer.update(0)
    free.update(0)
    assert norm(trainer.network.parameters()) == pytest.approx(1e-3, rel=1e-3)
    assert norm(free.network.parameters()) > 1e-2


def test_the_norm_is_that_of_the_network_alone(make_trainer: Callable[..., Trainer]) -> None:
    free = make_trainer("uw")
    free.update(0)
    length, learned = norm(free.network.parameters()), norm(free.weighting.parameters())
    limit = 1.01 * length
    assert (length**2 + learned**2) ** 0.5 > limit
    trainer = make_trainer("uw", clip_norm=limit)
    trainer.update(0)
    for one, expected in zip(parameters(trainer), parameters(free), strict=True):
        assert torch.equal(one.grad, expected.grad)
    short = make_trainer("uw", clip_norm=1e-3)
    short.update(0)
    assert norm(short.network.parameters()) == pytest.approx(1e-3, rel=1e-3)
    assert norm(short.weighting.parameters()) == learned


def parameters(trainer: Trainer) -> list[nn.Parameter]:
    return [*trainer.network.parameters(), *trainer.weighting.parameters()]


class Scaled(MixedPrecision):
    """32-bit arithmetic with the scaler of 16-bit floats."""

    def __init__(self, scale: float = 1024.0) -> None:
        super().__init__("16-mixed", "cpu", torch.amp.GradScaler("cpu", init_scale=scale))

    def forward_context(self) -> Any:
        return nullcontext()


@pytest.mark.parametrize(("name", "limit"), [("uw", 0.05), ("famo", 0.05), ("uw", None)])
def test_scaled_gradients_are_clipped_as_others(
    make_trainer: Callable[..., Trainer], name: str, limit: float | None
) -> None:
    """A scale that is a power of two changes no digit: compare with the step in 32 bits."""
    plain, scaled = make_trainer(name, clip_norm=limit), make_trainer(name, clip_norm=limit)
    scaled.fabric.strategy._precision = Scaled()
    for trainer in (plain, scaled):
        for step in range(2):
            update = trainer.update(step)
    assert update.skipped is not None
    assert not update.skipped
    for one, expected in zip(parameters(scaled), parameters(plain), strict=True):
        torch.testing.assert_close(one, expected, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["uw", "famo"])
def test_an_overflow_skips_the_update_and_is_said(
    make_trainer: Callable[..., Trainer], caplog: pytest.LogCaptureFixture, name: str
) -> None:
    trainer = make_trainer(name, clip_norm=0.05, log_every=1)
    trainer.fabric.strategy._precision = Scaled()
    (first, *_) = trainer.network.parameters()
    first.register_hook(lambda gradient: gradient.fill_(torch.inf) if trainer.step == 0 else gradient)
    before = [parameter.detach().clone() for parameter in parameters(trainer)]
    trainer._begin()
    trainer._train_step()
    for one, expected in zip(parameters(trainer), before, strict=True):
        assert torch.equal(one, expected)
    assert trainer.history.rows[-1]["skipped"] == 1
    assert "1 of the 1 updates up to step 1 had no effect" in caplog.text
    trainer._train_step()
    assert trainer.history.rows[-1]["skipped"] == 0
    assert all(bool(parameter.isfinite().all()) for parameter in parameters(trainer))
    assert not torch.equal(first, before[0])


def test_weights_of_a_skipped_update_are_not_recorded(make_trainer: Callable[..., Trainer]) -> None:
    """Those of MGDA add up to 1; after an overflow all are 1."""
    trainer = make_trainer("mgda", log_every=2)
    trainer.fabric.strategy._precision = Scaled()
    (first, *_) = trainer.network.parameters()
    first.register_hook(lambda gradient: gradient.fill_(torch.inf) if trainer.step == 0 else gradient)
    trainer._begin()
    for _ in range(2):
        trainer._train_step()
    (row,) = trainer.history.rows
    assert row["skipped"] == 1
    assert row["weight_semantics"] + row["weight_height"] == pytest.approx(1)


def test_after_an_overflow_there_is_nothing_to_observe(
    make_trainer: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, observed = make_trainer("famo"), []
    monkeypatch.setattr(trainer.weighting, "observe", observed.append)
    trainer.fabric.strategy._precision = Scaled()
    (first, *_) = trainer.network.parameters()
    first.register_hook(lambda gradient: gradient * (1 if numbers else torch.inf))
    numbers: list[int] = []
    for step in range(3):
        trainer.update(step)
        numbers.append(len(observed))
    assert numbers == [0, 1, 2]
