"""Measurement of a network by one pass of a small image: scales, first convolution, order of the parameters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from mtlaerial.errors import ConfigError

Key = TypeVar("Key")
STRIDES = (2, 4, 8, 16, 32)
"""Strides of the features that are taken from networks of other libraries."""
ROWS, COLUMNS = 32, 96
"""Of the image: not square, and with the fewest rows that networks take."""
REMEDY = "Choose a convolutional network, or a hierarchical transformer that takes images of any size."


@dataclass(frozen=True)
class Layout:
    """Place of the axes in an output, and its size.

    Attributes
    ----------
    stride : int
        Side of a feature in image pixels.
    channels : int
    channels_last : bool
        Whether the output has the shape (batch, rows, columns, channels).
    """

    stride: int
    channels: int
    channels_last: bool


def small_image(network: nn.Module, bands: int) -> Tensor:
    """Return the image that measures a network, on its device."""
    return torch.zeros(1, bands, ROWS, COLUMNS, device=next(network.parameters()).device)


def run_once(network: nn.Module, image: Tensor, name: str) -> Any:
    """Return what a network returns for an image in evaluation mode, so that statistics stay; its mode stays too.

    Raises
    ------
    ConfigError
        When it does not take the image.
    """
    training = network.training
    network.eval()
    try:
        with torch.enable_grad():
            return network(image)
    except Exception as error:  # anything may happen in another library
        problem = f"{described(error)} for an image of {ROWS} x {COLUMNS} pixels"
        expected = "a network that takes images of any size whose sides are divisible by 32"
        raise ConfigError(f"encoder {name}", problem, expected, REMEDY) from None
    finally:
        network.train(training)


def described(error: Exception) -> str:
    """Return an error of another library in a few words.

    Examples
    --------
    >>> described(AssertionError("height must be divisible by window."))
    'AssertionError (height must be divisible by window)'
    """
    name, reason = type(error).__name__, " ".join(str(error).split()).rstrip(".")
    return f"{name} ({reason})" if reason else name


def layout(output: Tensor) -> Layout | None:
    """Return the layout of an output for the small image; None if its sides are not the image's by a stride."""
    if output.ndim != 4:
        return None
    for stride in STRIDES:
        sides = (ROWS // stride, COLUMNS // stride)
        if output.shape[2:] == sides:
            return Layout(stride, output.shape[1], channels_last=False)
        if output.shape[1:3] == sides:
            return Layout(stride, output.shape[3], channels_last=True)
    return None


def last_of_each_stride(outputs: Mapping[Key, Tensor], name: str) -> dict[Key, Layout]:
    """Return the layouts of the last outputs of each stride, from fine to coarse.

    Parameters
    ----------
    outputs : mapping of any to Tensor
        Of a network or its modules for the small image, in the order of its layers.
    name : str
        The network's name, for messages.

    Raises
    ------
    ConfigError
        When there are not two of the strides 2 to 32.
    """
    layouts = {key: layout(output) for key, output in outputs.items()}
    last = {place.stride: key for key, place in layouts.items() if place}
    if len(last) < 2:
        shapes = ", ".join(str(tuple(output.shape)) for output in outputs.values())
        problem = f"outputs of the shapes {shapes} for an image of {ROWS} x {COLUMNS} pixels"
        expected = "features of at least two of the strides 2, 4, 8, 16 and 32"
        raise ConfigError(f"encoder {name}", problem, expected, REMEDY)
    return {last[stride]: place for stride in STRIDES if stride in last and (place := layouts[last[stride]])}


def first_convolution(network: nn.Module, bands: int, name: str) -> str:
    """Return the name of the one convolution that the bands of an image enter.

    Raises
    ------
    ConfigError
        When there is none, or several, whose weights could not be adapted to other bands.
    """
    image = small_image(network, bands)
    entered: dict[str, nn.Conv2d] = {}

    def watching(layer: str) -> Callable[[nn.Conv2d, tuple[Tensor, ...]], None]:
        def enter(convolution: nn.Conv2d, inputs: tuple[Tensor, ...]) -> None:
            # The first of all, since the image may be padded before it, and all that take the image itself.
            if not entered or inputs[0] is image:
                entered[layer] = convolution

        return enter

    convolutions = [(layer, module) for layer, module in network.named_modules() if isinstance(module, nn.Conv2d)]
    hooks = [module.register_forward_pre_hook(watching(layer)) for layer, module in convolutions]
    try:
        run_once(network, image, name)
    finally:
        for hook in hooks:
            hook.remove()
    fitting = [layer for layer, module in entered.items() if module.in_channels == bands and module.groups == 1]
    if len(entered) != 1 or not fitting:
        problem = f"{len(fitting)} convolutions that the image's bands enter"
        raise ConfigError(f"encoder {name}", problem, "one, whose weights can be adapted to them", REMEDY)
    return fitting[0]


def parameter_levels(network: nn.Module, features: Sequence[Tensor], name: str) -> dict[str, int]:
    """Return for each parameter the first of the features that depends on it, as their gradients tell.

    Parameters
    ----------
    network : Module
    features : sequence of Tensor
        Of the small image, from fine to coarse.
    name : str
        The network's name, for messages.

    Raises
    ------
    ConfigError
        When no feature depends on a parameter, which would never be trained.
    """
    levels: dict[str, int] = {}
    trained = {key: parameter for key, parameter in network.named_parameters() if parameter.requires_grad}
    for level, feature in enumerate(features):
        rest = {key: parameter for key, parameter in trained.items() if key not in levels}
        if not rest:
            break
        gradients = torch.autograd.grad(feature.sum(), list(rest.values()), retain_graph=True, allow_unused=True)
        reached = [key for key, gradient in zip(rest, gradients, strict=True) if gradient is not None]
        levels |= dict.fromkeys(reached, level)
    unused = [key for key in trained if key not in levels]
    if unused:
        problem = f"{len(unused)} parameters that no feature depends on, e.g. {unused[0]}"
        expected = "a network all of whose parameters lie before its features"
        raise ConfigError(f"encoder {name}", problem, expected, REMEDY)
    return levels


def modules_at(network: nn.Module, levels: dict[str, int], level: int, prefix: str = "") -> list[str]:
    """Return the names of the largest modules, and of single parameters, that lie at one level.

    Parameters
    ----------
    network : Module
        A network, or a module of it.
    levels : dict of str to int
        Of the whole network's parameters.
    level : int
    prefix : str
        The module's name and a dot.
    """
    names = [prefix + key for key, _ in network.named_parameters(recurse=False) if levels.get(prefix + key) == level]
    for child_name, child in network.named_children():
        inside = {levels.get(key) for key, _ in child.named_parameters(prefix + child_name)}
        if inside == {level}:
            names.append(prefix + child_name)
        elif level in inside:
            names += modules_at(child, levels, level, f"{prefix}{child_name}.")
    return names
