"""Activation checkpointing: the same gradients and statistics, in less memory."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mtlaerial.errors import ConfigError
from mtlaerial.models import D3Net, build_model
from mtlaerial.models.activation_checkpointing import checkpoint_network
from mtlaerial.models.frozen_batchnorm import frozen_statistics
from support import tiny

CHANGES = {"blocks": [4, 4, 4, 4], "dropout": 0.5}
IMAGE = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def pair() -> tuple[D3Net, D3Net]:
    """Return a network, and the same that computes its stages again."""
    torch.manual_seed(0)
    plain = build_model(tiny.model_spec(**CHANGES), 3, {"semantics": 5, "height": 1}).train()
    saving = copy.deepcopy(plain)
    checkpoint_network(saving)
    return plain, saving


def losses(model: nn.Module, image: Tensor = IMAGE) -> list[Tensor]:
    torch.manual_seed(3)  # what dropout leaves out
    return [output.square().mean() for output in model(image).values()]


def parameter_gradients(model: nn.Module) -> list[Tensor | None]:
    return [parameter.grad for parameter in model.parameters()]


def task_gradients(model: D3Net) -> list[tuple[Tensor, ...]]:
    parameters = list(model.trunk.parameters())
    return [torch.autograd.grad(loss, parameters, retain_graph=True) for loss in losses(model)]


def assert_same(values: Any, expected: Any) -> None:
    for value, reference in zip(values, expected, strict=True):
        assert (value is None) == (reference is None)
        if value is not None:
            torch.testing.assert_close(value, reference, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_gradients_and_statistics_are_the_same(precision: torch.dtype) -> None:
    plain, saving = pair()
    for model in (plain, saving):
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
            total = torch.stack(losses(model)).sum()
        total.backward()
    assert_same(parameter_gradients(saving), parameter_gradients(plain))
    ours, theirs = dict(saving.named_buffers()), dict(plain.named_buffers())
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], values) for name, values in theirs.items())
    assert int(ours["trunk.encoder.norm5.num_batches_tracked"]) == 1


def test_the_random_state_after_a_step_is_the_same() -> None:
    states = []
    for model in pair():
        torch.stack(losses(model)).sum().backward()
        states.append(torch.get_rng_state())
    assert torch.equal(*states)


def test_gradients_can_be_taken_for_each_task() -> None:
    plain, saving = pair()
    for gradient, reference in zip(task_gradients(saving), task_gradients(plain), strict=True):
        assert_same(gradient, reference)


def test_gradients_can_be_differentiated_again() -> None:
    tables = []
    for model in pair():
        image = IMAGE.double().requires_grad_()  # sums that cancel, in another order
        (slope,) = torch.autograd.grad(losses(model.double(), image)[1], image, create_graph=True)
        slope.square().sum().backward()
        tables.append([p.grad for p in model.trunk.parameters()])
    assert_same(tables[1], tables[0])


def test_statistics_that_are_frozen_in_the_forward_pass_stay_so() -> None:
    plain, saving = pair()
    for model in (plain, saving):
        before = copy.deepcopy(dict(model.named_buffers()))
        with frozen_statistics(model):
            total = torch.stack(losses(model)).sum()
        total.backward()
        assert all(torch.equal(before[name], values) for name, values in model.named_buffers())
    assert_same(parameter_gradients(saving), parameter_gradients(plain))


def test_autograd_saves_fewer_bytes() -> None:
    plain, saving = (saved_bytes(model.trunk.encoder) for model in pair())
    assert saving < 0.6 * plain


def saved_bytes(model: nn.Module) -> int:
    """Return the bytes that autograd holds on to between the passes, each storage counted once."""
    held: list[Tensor] = []

    def pack(tensor: Tensor) -> Tensor:
        held.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = model(IMAGE)
    parameter_pointers = {p.untyped_storage().data_ptr() for p in model.parameters()}
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in held}
    assert result
    return sum(size for place, size in storages.items() if place not in parameter_pointers)


def test_a_network_without_stages_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"training.checkpointing: found true; expected false"):
        checkpoint_network(nn.Sequential(nn.Conv2d(3, 4, 3)))
