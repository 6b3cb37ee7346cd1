"""Compiled networks, activation checkpointing and CUDA graphs."""

from collections.abc import Callable

import pytest
import torch

from mtlaerial.errors import ConfigError, TrainingError
from mtlaerial.training.trainer import Trainer
from support import tiny
from support.step_gradients import gradients


@pytest.mark.full("torch's compiler")
@pytest.mark.parametrize(
    "name", [pytest.param("equal", marks=pytest.mark.full("cagrad goes backward twice")), "cagrad"]
)
def test_compiled_networks_have_the_same_gradients(
    make_trainer: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # The compiler's own code generator takes a minute; what may break is before it.
    compiled = torch.nn.Module.compile
    modes = []

    def compile_with_autograd_alone(self: torch.nn.Module, mode: str | None = None) -> None:
        modes.append(mode)
        compiled(self, backend="aot_eager")

    monkeypatch.setattr(torch.nn.Module, "compile", compile_with_autograd_alone)
    whole = gradients(make_trainer(name))
    for graphs in (False, True):
        compiled_gradients = gradients(make_trainer(name, compile=True, cuda_graphs=graphs))
        assert (whole - compiled_gradients).norm() < 1e-5 * whole.norm()
        assert set(modes) == {"reduce-overhead" if graphs else None}
        modes.clear()


def test_second_derivatives_are_not_compiled(make_trainer: Callable[..., Trainer]) -> None:
    with pytest.raises(TrainingError, match=r"gradient_penalty.*no second derivatives"):
        make_trainer("gradient_penalty", compile=True)


@pytest.mark.parametrize("name", ["equal", "cagrad", "mgda_ub", "famo", "gradient_penalty"])
def test_checkpointing_changes_no_gradient(make_trainer: Callable[..., Trainer], name: str) -> None:
    whole, checkpointed = (gradients(make_trainer(name, checkpointing=value)) for value in (False, True))
    assert (whole - checkpointed).norm() < 1e-9 * whole.norm()


def test_checkpointing_changes_nothing_that_is_trained(make_trainer: Callable[..., Trainer]) -> None:
    states = []
    for value in (False, True):
        one = make_trainer("equal", checkpointing=value)
        one.network.train()
        for step in range(2):
            one.update(step, measure_conflict=True)
        states.append(one.network.state_dict())
    for name, expected in states[0].items():
        torch.testing.assert_close(states[1][name], expected, rtol=1e-4, atol=1e-6)


def test_compiled_code_decides_itself_what_it_computes_again() -> None:
    with pytest.raises(ConfigError, match="compile and checkpointing: found both true"):
        tiny.training_spec(compile=True, checkpointing=True)


def test_cuda_graphs_are_made_of_compiled_code() -> None:
    with pytest.raises(ConfigError, match="compile: found false beside cuda_graphs; expected true"):
        tiny.training_spec(cuda_graphs=True)
    assert "cuda_graphs" not in tiny.training_spec(compile=True).model_dump()
