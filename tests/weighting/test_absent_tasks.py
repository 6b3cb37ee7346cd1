"""Tasks without truth in some batches, under Adam's momentum: what belongs to them stays as it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtlaerial.sampling import Batch
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.held_parameters import holding
from mtlaerial.training.optimiser import build_optimiser, set_learning_rate
from mtlaerial.training.parameter_groups import ParameterGroup
from mtlaerial.training.step_batches import BatchShare
from mtlaerial.training.trainer import Trainer
from mtlaerial.weighting import Weighting
from support import tiny
from support.weighting_problem import TASKS, THREE, Problem, update, weighting
from support.weighting_references_gramian import norms

Numbers = NDArray[np.float64]
PRESENT = [(True, True), (True, True), (True, False), (True, False), (False, True), (False, False), (True, True)]
"""Which tasks have truth, batch by batch."""
RATE = 0.025


class AdamOfOne:
    """Kingma & Ba 2015, algorithm 1, of one number; it knows only the batches that it is told of."""

    def __init__(self, value: float, rate: float, eps: float = 1e-8) -> None:
        self.value, self.rate, self.eps = value, rate, eps
        self.mean, self.square, self.steps = 0.0, 0.0, 0

    def step(self, slope: float) -> None:
        self.steps += 1
        self.mean = 0.9 * self.mean + 0.1 * slope
        self.square = 0.999 * self.square + 0.001 * slope**2
        mean, square = self.mean / (1 - 0.9**self.steps), self.square / (1 - 0.999**self.steps)
        self.value -= self.rate * mean / (np.sqrt(square) + self.eps)


def learned(method: Weighting) -> Numbers:
    return torch.stack(method.parameters()).detach().double().numpy()


def train_learned(method: Weighting, schedule: list[float], **training: Any) -> list[tuple[Numbers, Numbers]]:
    """Train a weighting's numbers over the batches; return the batch's losses and the numbers after it, in turn."""
    spec = tiny.training_spec(learning_rate=1e-3, betas=[0.9, 0.999], **training)
    problem = Problem(0)
    network = ParameterGroup([problem.trunk, *problem.heads.values()])
    optimiser = build_optimiser([network], spec, method.parameters(), method.learning_rate)
    course = []
    for seed, (present, rate) in enumerate(zip(PRESENT, schedule, strict=True)):
        batch = Problem(seed, (float(present[0]), 3.0 * present[1]))
        batch.trunk, batch.heads = problem.trunk, problem.heads
        losses = batch.losses().double().numpy()
        set_learning_rate(optimiser, rate)
        update(method, batch)
        with holding(optimiser, method):
            optimiser.step()
        course.append((losses, learned(method)))
    return course


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("name", ["uw", "imtl_l", "imtl"])
def test_learned_numbers_follow_adam_over_the_batches_with_truth(name: str, weight_decay: float) -> None:
    """Adam with 25 times the network's rate, with its schedule: warm-up, then falling."""
    schedule = [5e-4, 1e-3, 1e-3, 8e-4, 6e-4, 4e-4, 2e-4]
    course = train_learned(weighting(name, learning_rate=RATE), schedule, weight_decay=weight_decay)
    expected = [AdamOfOne(0.0, RATE), AdamOfOne(0.0, RATE)]
    for (losses, numbers), present, rate in zip(course, PRESENT, schedule, strict=True):
        for task in np.flatnonzero(present):
            number = expected[task]
            scaled = np.exp(-number.value if name == "uw" else number.value) * losses[task]
            number.rate = rate * RATE / 1e-3
            number.step((1 - scaled) / 2 if name == "uw" else scaled - 1)
        np.testing.assert_allclose(numbers, [number.value for number in expected], rtol=2e-5, atol=1e-7)


def test_learned_numbers_have_the_rate_of_the_network_by_default() -> None:
    course = train_learned(weighting("uw"), [2e-3] * len(PRESENT))
    np.testing.assert_allclose(np.abs(course[0][1]), 2e-3, rtol=1e-4)  # Adam's first step is the rate


def test_gradnorm_follows_adam_over_the_batches_with_truth() -> None:
    """Chen et al. 2018, algorithm 1, for three tasks of which some are absent; alpha is 0: targets are means."""
    rounds = [(1, 1, 1), (1, 1, 1), (1, 1, 0), (1, 1, 0), (0, 0, 1), (1, 1, 1)]
    method, adams = weighting("gradnorm", THREE, alpha=0.0), [AdamOfOne(1.0, RATE, 0.0) for _ in THREE]
    for seed, present in enumerate(rounds):
        problem = Problem(seed, (1.0 * present[0], 8.0 * present[1], 0.2 * present[2]), tasks=THREE)
        taking_part = np.flatnonzero(present)
        before = np.array([adam.value for adam in adams])
        np.testing.assert_allclose(update(method, problem).weights.double()[taking_part], before[taking_part], 1e-6)
        if len(taking_part) == 1:
            continue
        sizes = norms(np.array(problem.gramian("features").tolist()))
        scaled = before[taking_part] * sizes[taking_part]
        for task, own in zip(taking_part, scaled, strict=True):
            adams[task].step(np.sign(own - scaled.mean()) * sizes[task])
        total = sum(adams[task].value for task in taking_part)
        for task in taking_part:
            adams[task].value *= before[taking_part].sum() / total
    np.testing.assert_allclose(method.state_dict()["weights"], [adam.value for adam in adams], rtol=1e-6)
    assert adams[2].steps == 3


def without_heights(batch: BatchShare) -> BatchShare:
    """Return a batch whose heights are not known."""
    patches = batch.patches
    blank = Batch(patches.image, torch.full_like(patches.height, torch.nan), patches.labels)
    return BatchShare(blank, {**batch.amounts, "height": torch.zeros_like(batch.amounts["height"])}, batch.seed)


def own_state(trainer: Trainer) -> list[Tensor]:
    """Return the height's log-variance, and the optimiser's state of it."""
    parameter = trainer.weighting.parameters()[TASKS.index("height")]
    state = trainer.optimiser.optimizer.state[parameter]
    return [parameter.detach().clone(), *(state[key].clone() for key in ("step", "exp_avg", "exp_avg_sq"))]


def test_a_training_leaves_the_log_variance_of_a_task_without_truth(
    tiles: dict[str, list[Path]], statistics: Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = tiny.run_plan(weighting={"name": "uw", "learning_rate": RATE}, epochs=3, clip_norm=1.0)
    trainer = Trainer(tiny.job(plan, statistics, tiles["train"], []))
    trainer.update(0)
    before = own_state(trainer)
    assert float(before[0].abs()) == pytest.approx(RATE, rel=1e-3)
    draw: Callable[[int], list[BatchShare]] = trainer.update.batches.draw
    monkeypatch.setattr(trainer.update.batches, "draw", lambda step: [without_heights(b) for b in draw(step)])
    semantics = trainer.weighting.parameters()[0].detach().clone()
    for step in range(1, 4):
        trainer.update(step)
    torch.testing.assert_close(own_state(trainer), before, rtol=0, atol=0)
    assert not torch.equal(trainer.weighting.parameters()[0], semantics)
    monkeypatch.undo()
    trainer.update(4)
    assert not torch.equal(own_state(trainer)[0], before[0])
