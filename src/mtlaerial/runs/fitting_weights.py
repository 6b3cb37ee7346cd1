"""Comparison of a run's weights with the network that its description states."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from mtlaerial.config import task_entry
from mtlaerial.errors import DataError
from mtlaerial.runs.weights import DESCRIPTION, WEIGHTS

Sizes = Mapping[str, tuple[int, ...]]
"""Shapes of tensors by name."""


def require_fitting_weights(folder: Path, network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Refuse weights whose names or shapes are not those of the network.

    The weights have the hash that the description states, so it is the description that was edited.

    Raises
    ------
    DataError
        It names the keys of ``run.yaml`` that decide the first tensors that do not fit, and one of the tensors.
    """
    stated, trained = _sizes(network.state_dict()), _sizes(weights)
    misfits = [name for name in dict.fromkeys([*stated, *trained]) if stated.get(name) != trained.get(name)]
    if not misfits:
        return
    keys = list(dict.fromkeys(_key(name, stated, trained) for name in misfits))
    observed = _describe(misfits[0], stated, trained)
    if len(misfits) > 1:
        observed += f", as one of {len(misfits)} tensors that do not fit"
    where = f"{folder / DESCRIPTION}, {'key' if len(keys) == 1 else 'keys'} {', '.join(keys)}"
    remedy = f"Undo the change of {DESCRIPTION}, or copy the run's folder anew from where it was trained."
    raise DataError(where, observed, "the network that was trained", remedy)


def _sizes(tensors: Mapping[str, Tensor]) -> Sizes:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _key(name: str, stated: Sizes, trained: Sizes) -> str:
    """Return the key of ``run.yaml`` that decides the size of a tensor that does not fit."""
    head = name.split(".")[1] if name.startswith("heads.") else None
    if head is not None and (head in _heads(stated)) != (head in _heads(trained)):
        return "plan.tasks"
    outputs, inputs = _differences(stated.get(name, ()), trained.get(name, ()))
    if head is not None and name.endswith((".last.weight", ".last.bias")) and not inputs:
        return "statistics.classes" if task_entry(head).output == "classes" else "plan.training.height_head"
    if name == next(iter(stated)) and not outputs:
        return "statistics.bands"
    return "plan.model"


def _heads(sizes: Sizes) -> set[str]:
    return {name.split(".")[1] for name in sizes if name.startswith("heads.")}


def _differences(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[bool, bool]:
    """Tell whether two shapes of a convolution differ in the output channels, and in the input channels."""
    return first[:1] != second[:1], first[1:] != second[1:]


def _describe(name: str, stated: Sizes, trained: Sizes) -> str:
    if name not in trained:
        return f"a network with {name}, which {WEIGHTS} lacks"
    if name not in stated:
        return f"a network without {name}, which {WEIGHTS} has"
    return f"a network whose {name} is {_shape(stated[name])}, which is {_shape(trained[name])} in {WEIGHTS}"


def _shape(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))
