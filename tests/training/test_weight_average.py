"""Exponential moving average of weights: its equation, and its place in a training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from mtlaerial.prediction.engines.torch_engine import TorchEngine
from mtlaerial.training.process_group import Group
from mtlaerial.training.train_step import TrainStep, Update
from mtlaerial.training.weight_average import WeightAverage

EMA = 0.6


def averaged(states: list[dict[str, Tensor]], decay: float) -> dict[str, Tensor]:
    """Return the average of states by a sum of powers, in double precision; integers are those of the last state."""
    decays = [0.0, *(min(decay, (1 + n) / (10 + n)) for n in range(1, len(states)))]
    shares = [(1 - each) * torch.tensor(decays[n + 1 :]).prod().item() for n, each in enumerate(decays)]
    assert sum(shares) == pytest.approx(1)
    average = {}
    for name, last in states[-1].items():
        total = sum(share * state[name].double() for share, state in zip(shares, states, strict=True))
        average[name] = total.to(last.dtype) if last.is_floating_point() else last
    return average


def assert_close(tensors: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert tensors.keys() == expected.keys()
    for name, tensor in tensors.items():
        torch.testing.assert_close(
            tensor, expected[name], rtol=1e-5, atol=1e-6, msg=lambda text, n=name: f"{n}: {text}"
        )


def drawn(network: nn.Module, number: int) -> dict[str, Tensor]:
    """Change all weights of a network, statistics of batch norms too, and return a copy of them."""
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.normal_() if tensor.is_floating_point() else tensor.fill_(number)
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


@pytest.mark.parametrize("decay", [0.1, 0.5, 0.999])
def test_the_average_decays_after_a_warm_up(decay: float) -> None:
    torch.manual_seed(0)
    network: Any = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3))
    average = WeightAverage(network, decay)
    states = []
    for number in range(12):
        states.append(drawn(network, number))
        average.update(network)
        assert_close(average.network.state_dict(), averaged(states, decay))
    assert not any(parameter.requires_grad for parameter in average.network.parameters())
    assert not any(module.training for module in average.network.modules())


def test_weights_that_stay_are_their_average_to_the_bit() -> None:
    network: Any = nn.Linear(50, 50)
    average = WeightAverage(network, 0.7)
    for _ in range(20):
        average.update(network)
    assert torch.equal(average.network.weight, network.weight)


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Tensor]]:
    """Return a list that the weights of a training's network are added to, after each update."""
    update, states = TrainStep.__call__, []

    def recorded(self: TrainStep, number: int, measure_conflict: bool = False) -> Update:
        result = update(self, number, measure_conflict)
        states.append({name: tensor.clone() for name, tensor in self.network.state_dict().items()})
        return result

    monkeypatch.setattr(TrainStep, "__call__", recorded)
    return states


def test_the_average_is_validated_and_saved_and_does_not_change_what_is_trained(
    trained: Callable[..., Path], run_folder: Path, states: list[dict[str, Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    validated: list[dict[str, Tensor]] = []

    def seen(network: nn.Module, *arguments: Any) -> Any:
        validated.append({name: tensor.clone() for name, tensor in network.state_dict().items()})
        return TorchEngine(network, *arguments)

    monkeypatch.setattr("mtlaerial.training.evaluation.TorchEngine", seen)
    folder = trained(ema=EMA)
    assert len(validated) == 3
    for epoch, weights in enumerate(validated, 1):
        assert_close(weights, averaged(states[: 2 * epoch], EMA))
    saved = {name: load_file(folder / f"{name}.safetensors") for name in ("last", "best", "model")}
    assert_close(saved["last"], averaged(states, EMA))
    assert_close(saved["model"], saved["last"])
    history, without = (pd.read_csv(path / "history.csv") for path in (folder, run_folder))
    columns = [
        "loss_semantics",
        "loss_height",
        "cosine_features_semantics_height",
        "cosine_parameters_semantics_height",
    ]
    assert history[columns].equals(without[columns])
    assert not history["val_score"].equals(without["val_score"])
    best = int(history["val_score"].argmax()) + 1
    assert_close(saved["best"], averaged(states[: 2 * best], EMA))


def test_statistics_of_the_average_are_those_of_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process has statistics that are larger by 1; the second batch norm is frozen."""
    monkeypatch.setattr(Group, "add_up", lambda self, tensors: [tensor.add_(tensor + 1) for tensor in tensors])
    network: Any = nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm2d(3))
    network[1].eval()
    average = WeightAverage(network, EMA)
    Group(rank=0, size=2).average_statistics(network, [average.network])
    for norms in (network, average.network):
        assert norms[0].running_mean.tolist() == [0.5] * 3
        assert norms[1].running_mean.tolist() == [0.0] * 3
