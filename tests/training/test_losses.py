"""Losses: means over valid pixels, torch's class weights, exact zeros without valid pixels."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, l1_loss, smooth_l1_loss

from mtlaerial.config import IGNORED
from mtlaerial.sampling import Batch
from mtlaerial.training.losses import TaskLosses, median_frequency_weights
from support import tiny

CLASSES = 4


def losses(weights: Tensor | None = None, zero_height: bool = True, **training: Any) -> TaskLosses:
    chosen = torch.ones(CLASSES) if weights is None else weights
    return TaskLosses(tiny.training_spec(**{"height_unit": 1, **training}), chosen, zero_height)


def random_batch(seed: int = 0, unknown: float = 0.2) -> tuple[dict[str, Tensor], Batch]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, CLASSES, 8, 8, generator=generator)
    output = torch.randn(2, 1, 8, 8, generator=generator)
    labels = torch.randint(0, CLASSES, (2, 8, 8), generator=generator)
    height = torch.randn(2, 8, 8, generator=generator) * 5
    labels[torch.rand(2, 8, 8, generator=generator) < unknown] = IGNORED
    height[torch.rand(2, 8, 8, generator=generator) < unknown] = math.nan
    outputs = {"semantics": logits.requires_grad_(), "height": output.requires_grad_()}
    return outputs, Batch(torch.zeros(2, 3, 8, 8), height, labels)


@pytest.mark.parametrize("weights", [torch.ones(CLASSES), torch.tensor([0.5, 3.0, 1.0, 2.0])])
def test_semantics_is_the_weighted_mean_of_torch(weights: Tensor) -> None:
    outputs, batch = random_batch()
    loss = losses(weights)(outputs, batch)["semantics"]
    expected = cross_entropy(outputs["semantics"], batch.labels, weights, ignore_index=IGNORED)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(*(torch.autograd.grad(x, outputs["semantics"])[0] for x in (loss, expected)))


def test_a_class_of_weight_zero_does_not_count() -> None:
    outputs, batch = random_batch()
    weights = torch.tensor([0.0, 1.0, 2.0, 1.0])
    loss = losses(weights)(outputs, batch)["semantics"]
    without = Batch(batch.image, batch.height, torch.where(batch.labels == 0, IGNORED, batch.labels))
    torch.testing.assert_close(loss, losses(weights)(outputs, without)["semantics"])
    (gradient,) = torch.autograd.grad(loss, outputs["semantics"])
    assert (gradient.abs().sum(dim=1)[batch.labels == 0] == 0).all()


@pytest.mark.parametrize("unit", [1.0, 5.0])
@pytest.mark.parametrize(("name", "error"), [("l1", l1_loss), ("huber", smooth_l1_loss)])
def test_height_is_the_mean_error_over_known_pixels_in_its_unit(unit: float, name: str, error: Any) -> None:
    outputs, batch = random_batch()
    loss = losses(height_loss=name, height_unit=unit)(outputs, batch)["height"]
    valid = torch.isfinite(batch.height)
    expected = error(outputs["height"][:, 0][valid], batch.height[valid] / unit)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(*(torch.autograd.grad(x, outputs["height"])[0] for x in (loss, expected)))


def test_the_height_loss_is_averaged_over_all_pixels_where_that_is_asked_for() -> None:
    outputs, batch = random_batch()
    valid = torch.isfinite(batch.height)
    loss = losses(height_mean="all")(outputs, batch)["height"]
    torch.testing.assert_close(loss, losses()(outputs, batch)["height"] * valid.float().mean())


def test_heights_of_zero_and_below_count_only_where_they_are_valid() -> None:
    outputs, batch = random_batch()
    positive = Batch(batch.image, torch.where(batch.height > 0, batch.height, math.nan), batch.labels)
    ignoring = losses(zero_height=False)(outputs, batch)["height"]
    torch.testing.assert_close(ignoring, losses()(outputs, positive)["height"])
    assert not torch.isclose(ignoring, losses()(outputs, batch)["height"])


@pytest.mark.parametrize("weights", [torch.ones(CLASSES), torch.tensor([0.0, 1.0, 1.0, 1.0])])
def test_without_valid_pixels_losses_and_gradients_are_exactly_zero(weights: Tensor) -> None:
    outputs, batch = random_batch()
    nothing = torch.full_like(batch.labels, IGNORED)
    nothing[0, 0, :3] = 0 if weights[0] == 0 else IGNORED
    batch = Batch(batch.image, torch.full_like(batch.height, math.nan), nothing)
    by_task = losses(weights)(outputs, batch)
    assert {task: loss.item() for task, loss in by_task.items()} == {"semantics": 0.0, "height": 0.0}
    for task, output in outputs.items():
        (gradient,) = torch.autograd.grad(by_task[task], output)
        assert (gradient == 0).all(), task


def test_unknown_pixels_have_no_gradient_and_known_ones_have() -> None:
    outputs, batch = random_batch()
    by_task = losses()(outputs, batch)
    for task, valid in (("semantics", batch.labels != IGNORED), ("height", torch.isfinite(batch.height))):
        (gradient,) = torch.autograd.grad(by_task[task], outputs[task])
        assert torch.equal(gradient.abs().sum(dim=1) > 0, valid)


def test_there_is_a_loss_for_each_output_and_in_full_precision() -> None:
    outputs, batch = random_batch()
    half = {"height": outputs["height"].bfloat16()}
    by_task = losses()(half, batch)
    assert list(by_task) == ["height"]
    assert by_task["height"].dtype == torch.float32


def test_median_frequency_weights_are_the_median_over_the_frequency() -> None:
    weights = median_frequency_weights(torch.tensor([10, 0, 40, 20]))
    torch.testing.assert_close(weights, torch.tensor([2.0, 0.0, 0.5, 1.0]))
    weights = median_frequency_weights(torch.tensor([10, 40]))
    torch.testing.assert_close(weights, torch.tensor([2.5, 0.625]))
    assert median_frequency_weights(torch.tensor([0, 0])).tolist() == [0, 0]


def test_median_frequency_weights_hold_for_more_pixels_than_float32_counts() -> None:
    pixels = torch.tensor([3_000_000_001, 1_000_000_000, 500_000_000])
    torch.testing.assert_close(median_frequency_weights(pixels), torch.tensor([1 / 3, 1.0, 2.0]))
