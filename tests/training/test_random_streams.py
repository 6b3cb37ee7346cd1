"""Random numbers of trainings: others for each seed, step and purpose, the same in each repetition."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from mtlaerial.training.step_batches import StepBatches
from mtlaerial.training.train_step import seeded
from mtlaerial.training.trainer import Trainer

DEVICE = torch.device("cpu")


def batches(make_trainer: Callable[..., Trainer], seed: int) -> StepBatches:
    return make_trainer(seed=seed).update.batches


def drawn(of_seed: StepBatches, step: int) -> dict[str, torch.Tensor]:
    """Return what is random in a step: patches, the first dropout of the network, and numbers of a weighting."""
    (share,) = of_seed.draw(step)
    with seeded(share.seed, DEVICE):
        dropped = torch.rand(64)
    weights = torch.rand(64, generator=of_seed.generator(step, "weighting"))
    return {"image": share.patches.image, "dropout": dropped, "weighting": weights}


@pytest.mark.parametrize(("seed", "step"), [(1, 0), (0, 1), (3, 0)])
def test_another_seed_or_step_draws_other_numbers(make_trainer: Callable[..., Trainer], seed: int, step: int) -> None:
    """A seed above 32 bits is not enough: torch's generator on the CPU takes no more of it."""
    first, other = drawn(batches(make_trainer, 0), 0), drawn(batches(make_trainer, seed), step)
    assert [name for name, values in first.items() if torch.equal(values, other[name])] == []


def test_the_same_seed_and_step_draw_the_same_numbers(make_trainer: Callable[..., Trainer]) -> None:
    first, again = (drawn(batches(make_trainer, 2), 5) for _ in range(2))
    assert all(torch.equal(values, again[name]) for name, values in first.items())


def test_purposes_of_a_step_have_numbers_of_their_own(make_trainer: Callable[..., Trainer]) -> None:
    of_seed: Any = batches(make_trainer, 0)
    patches = torch.rand(64, generator=of_seed.generator(0, "patches"))
    others = drawn(of_seed, 0)
    assert not torch.equal(patches, others["weighting"])
    assert not torch.equal(patches, others["dropout"])
    assert not torch.equal(others["weighting"], others["dropout"])


def test_conflict_is_the_same_after_other_random_numbers(make_trainer: Callable[..., Trainer]) -> None:
    """As in a resumed training, whose generator is another; heads of other packages may have dropout."""
    measured = []
    for state in (1, 2):
        trainer = make_trainer()
        for head in trainer.network.heads.values():
            head.register_forward_hook(lambda _, inputs, output: torch.nn.functional.dropout(output, 0.5))
        torch.manual_seed(state)
        update = trainer.update.forward_backward(0, trainer.update.batches.draw(0), measure_conflict=True)
        assert update.gramians is not None
        measured.append(update.gramians["features"])
    torch.testing.assert_close(*measured, rtol=0, atol=0)
