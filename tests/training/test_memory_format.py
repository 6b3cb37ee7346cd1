"""The order of tensors in memory: it changes no gradient, and is one for all."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from mtlaerial.training.trainer import Trainer
from mtlaerial.weighting.task_gradients import assign
from support.step_gradients import gradients


def test_the_order_in_memory_changes_nothing(make_trainer: Callable[..., Trainer]) -> None:
    last, first = (gradients(make_trainer("uw", channels_last=last)) for last in (True, False))
    assert (last - first).norm() < 1e-10 * last.norm()


@pytest.mark.parametrize(("precision", "last"), [("32-true", True), ("32-true", False), ("bf16-mixed", True)], ids=str)
@pytest.mark.parametrize("checkpointing", [False, True])
def test_all_tensors_have_one_memory_format(
    make_trainer: Callable[..., Trainer], precision: str, last: bool, checkpointing: bool
) -> None:
    trainer = make_trainer("equal", precision=precision, checkpointing=checkpointing, channels_last=last)
    trainer.network.train()
    order = torch.channels_last if last else torch.contiguous_format
    misplaced: list[str] = []

    def look(name: str, tensor: Tensor) -> None:  # returns nothing, so that hooks change nothing
        if not tensor.is_contiguous(memory_format=order):
            misplaced.append(f"{name}: {tuple(tensor.shape)}, {tensor.stride()}")

    for name, layer in trainer.network.named_modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
            layer.register_forward_pre_hook(lambda _, inputs, name=name: look(name, *inputs))
            layer.register_forward_hook(lambda _, __, output, name=name: look(name, output))
    trainer.update(0)
    for name, parameter in trainer.network.named_parameters():
        if parameter.dim() == 4:
            look(name, parameter)
            assert parameter.grad is not None
            look(f"gradient of {name}", parameter.grad)
    assert not misplaced


def test_gradients_lie_in_memory_as_their_parameters_do() -> None:
    parameter = torch.nn.Parameter(torch.randn(4, 3, 2, 2).to(memory_format=torch.channels_last))
    gradient = torch.randn(4, 3, 2, 2)
    assign([parameter], [gradient])
    assert parameter.grad is not None
    assert parameter.grad.stride() == parameter.stride()
    assert torch.equal(parameter.grad, gradient)
