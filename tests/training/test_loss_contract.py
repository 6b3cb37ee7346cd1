"""The contract of losses: masks, parts of batches, order of pixels, gradients and minima, whatever loss and head."""

from typing import Any

import pytest
import torch
from torch import Tensor

from mtlaerial.config import IGNORED
from mtlaerial.models.height_heads import BinsHead, HeadWithScale
from mtlaerial.sampling import Batch
from support import losses as recipes
from support.losses import losses_of, random_batch, random_output, trained_pixels

Keys = dict[str, Any]
every_loss = pytest.mark.parametrize(("task", "keys"), recipes.EVERY, ids=recipes.IDS)


def value_and_gradient(task: str, keys: Keys, output: Tensor, batch: Batch, **options: Any) -> tuple[Tensor, Tensor]:
    loss = losses_of(task, keys, **options)({task: output}, batch)[task]
    (gradient,) = torch.autograd.grad(loss, output)
    return loss, gradient


@every_loss
@pytest.mark.parametrize("zero_height", [True, False])
def test_pixels_without_truth_change_neither_value_nor_gradient(task: str, keys: Keys, zero_height: bool) -> None:
    batch, output = random_batch(), random_output(task, keys)
    counted = trained_pixels(task, batch, zero_height)[:, None]
    changed = torch.where(counted, output, 30 * random_output(task, keys, seed=1)).detach().requires_grad_()
    before, after = (
        value_and_gradient(task, keys, entry, batch, zero_height=zero_height) for entry in (output, changed)
    )
    torch.testing.assert_close(after, before, rtol=1e-6, atol=1e-8)
    assert torch.equal(before[1].abs().sum(dim=1) > 0, counted[:, 0])


@every_loss
def test_without_truth_value_and_gradient_are_exactly_zero(task: str, keys: Keys) -> None:
    batch, output = random_batch(), random_output(task, keys)
    nothing = Batch(batch.image, torch.full_like(batch.height, torch.nan), torch.full_like(batch.labels, IGNORED))
    nothing.labels[0, 0, :3] = 1  # a class of weight 0
    loss, gradient = value_and_gradient(task, keys, output, nothing)
    assert loss.item() == 0
    assert not gradient.any()


@every_loss
@pytest.mark.parametrize("size", [1, 2])
def test_the_losses_of_parts_add_up_to_that_of_the_batch(task: str, keys: Keys, size: int) -> None:
    batch, output = random_batch(), random_output(task, keys)
    whole, gradient = value_and_gradient(task, keys, output, batch)
    losses = losses_of(task, keys)
    amounts = losses.amounts(batch, [task])
    parts = [slice(start, start + size) for start in range(0, 4, size)]
    total = torch.stack([losses({task: output[part]}, batch[part], amounts)[task] for part in parts]).sum()
    torch.testing.assert_close(total, whole)
    torch.testing.assert_close(torch.autograd.grad(total, output)[0], gradient)
    shares = torch.stack([losses.amounts(batch[part], [task])[task] for part in parts])
    torch.testing.assert_close(shares.sum(dim=0), amounts[task])  # as processes add them up


@every_loss
def test_the_order_of_pixels_and_of_patches_does_not_matter(task: str, keys: Keys) -> None:
    batch, output = random_batch(), random_output(task, keys)
    pixels = torch.randperm(recipes.SIDE**2, generator=torch.Generator().manual_seed(0))

    def shuffled(values: Tensor) -> Tensor:
        if "height_gradient" in keys:  # neighbours stay neighbours when a patch is turned
            return values.flip(0).rot90(1, (-2, -1))
        return values.flip(0).flatten(-2)[..., pixels].reshape(values.shape)

    moved = Batch(batch.image, shuffled(batch.height), shuffled(batch.labels))
    loss, gradient = value_and_gradient(task, keys, output, batch)
    moved_output = shuffled(output).detach().requires_grad_()
    moved_loss, moved_gradient = value_and_gradient(task, keys, moved_output, moved)
    torch.testing.assert_close(moved_loss, loss)
    torch.testing.assert_close(moved_gradient, shuffled(gradient))


@every_loss
def test_the_gradient_is_that_of_finite_differences(task: str, keys: Keys) -> None:
    batch = random_batch(patches=3)
    losses = losses_of(task, keys)
    losses.double()
    output = random_output(task, keys, patches=3).detach().double()[..., :5, :5].clone().requires_grad_()
    cut = Batch(batch.image, batch.height[..., :5, :5].double(), batch.labels[..., :5, :5])
    term: Any = losses.losses[task]
    check = torch.autograd.gradcheck
    assert check(lambda values: term.total(values, cut), [output], eps=1e-7, atol=1e-5, rtol=1e-4, fast_mode=True)


def perfect_output(task: str, keys: Keys, batch: Batch) -> Tensor:
    """Return the output that a task's truth asks for; of heights without a scale where there is none."""
    if task == "semantics":
        true = batch.labels[:, None] == torch.arange(recipes.CLASSES)[:, None, None]
        smoothing = keys.get("label_smoothing", 0)
        labels = (1 - smoothing) * true + smoothing / recipes.CLASSES
        return (labels * recipes.CLASS_WEIGHTS[:, None, None]).clamp(min=1e-9).log()
    losses: Any = losses_of(task, keys).losses[task]
    units = torch.where(batch.height.isfinite(), batch.height, 0) / 5
    if isinstance(losses.head, BinsHead):
        bins: Tensor = losses.head.soft_labels(units).clamp(min=1e-30)
        return bins.log()
    estimate: Tensor = losses.head.on_scale(units)[:, None]
    if isinstance(losses.head, HeadWithScale):
        return torch.cat([estimate, torch.full_like(estimate, -30)], dim=1)
    return torch.expm1(estimate).log() if losses.head.non_negative else estimate  # the inverse of softplus


@every_loss
def test_a_perfect_prediction_is_the_minimum(task: str, keys: Keys) -> None:
    batch = random_batch()
    if "height_non_negative" in keys:
        batch = Batch(batch.image, batch.height.abs() + 0.1, batch.labels)
    output = perfect_output(task, keys, batch)
    losses = losses_of(task, keys)
    best = losses({task: output}, batch)[task]
    if "label_smoothing" not in keys:
        assert best.item() == pytest.approx(0, abs=2e-5)
    for seed in range(3):
        changed = 0.1 * output + 3 * random_output(task, keys, seed=seed)
        assert losses({task: changed}, batch)[task] > best + 0.01
