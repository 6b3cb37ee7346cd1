"""Encoders from torchvision's networks for classification, by the names of its models."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, fx, nn

from mtlaerial.config.faults import did_you_mean
from mtlaerial.errors import ConfigError
from mtlaerial.models.encoders import probing
from mtlaerial.models.encoders.extra import import_extra
from mtlaerial.models.encoders.foreign import ForeignEncoder, measurable, without_dropout

_RGB = 3
"""Bands that torchvision's networks are built for."""


class Features(nn.Module):
    """Outputs of some modules of a network, without the layers after the last of them.

    Parameters
    ----------
    network : GraphModule
        Returns the outputs by name.
    """

    def __init__(self, network: fx.GraphModule) -> None:
        super().__init__()
        self.graph = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs in the order of the modules."""
        return tuple(self.graph(image).values())


def torchvision_encoder(bands: int, model: str, **options: Any) -> ForeignEncoder:
    """Build an encoder of torchvision, with random weights.

    Of each stride it has the output of the last stage; the layers after them are left out. Stochastic depth is off.

    Parameters
    ----------
    bands : int
        Bands of the image. For other than three the first convolution is drawn anew, with the standard deviation of
        the one it replaces.
    model : str
        The name of a classification network, as in ``torchvision.models.list_models(torchvision.models)``.
    options
        Other arguments of the model.

    Raises
    ------
    ConfigError
        When torchvision is missing, has no such model, or the model cannot be an encoder.
    """
    torchvision = import_extra("torchvision")
    _require_model(torchvision, model)
    refused = sorted(set(options) & {"weights", "pretrained", "num_classes"})
    if refused:
        remedy = "Leave it out; weights come by the key pretrained of the model."
        raise ConfigError(f"encoder torchvision, key {refused[0]}", "a key", "other arguments of the model", remedy)
    name = f"torchvision {model}"
    classifier = torchvision.models.get_model
    return measurable(
        lambda: ForeignEncoder(_features(classifier(model, weights=None, **options), bands, name), bands, name)
    )


def _require_model(torchvision: ModuleType, model: str) -> None:
    names = torchvision.models.list_models(module=torchvision.models)
    if model not in names:
        listing = "import torchvision; print(torchvision.models.list_models(torchvision.models))"
        remedy = did_you_mean(model, names, f"List them with: python -c '{listing}'")
        expected = f"one of the {len(names)} classification networks of torchvision {torchvision.__version__}"
        raise ConfigError("encoder torchvision, key model", repr(model), expected, remedy)


def _without_stochastic_depth(network: nn.Module) -> None:
    for module in network.modules():
        if type(module).__name__ == "StochasticDepth":
            module.p = 0.0  # type: ignore[assignment]  # an attribute of that class


def _take_bands(network: nn.Module, bands: int, name: str) -> None:
    """Replace the first convolution by one for a number of bands, in place."""
    if bands == _RGB:
        return
    layer = probing.first_convolution(network, _RGB, name)
    old = network.get_submodule(layer)
    assert isinstance(old, nn.Conv2d)
    arguments = {"stride": old.stride, "padding": old.padding, "dilation": old.dilation}
    new = nn.Conv2d(bands, old.out_channels, old.kernel_size, bias=old.bias is not None, **arguments)  # type: ignore[arg-type]
    with torch.no_grad():
        new.weight.normal_(std=float(old.weight.std()))
        if new.bias is not None and old.bias is not None:
            new.bias.copy_(old.bias)
    network.set_submodule(layer, new)


def _features(network: nn.Module, bands: int, name: str) -> Features:
    """Return a network of the outputs of the last stage of each stride."""
    without_dropout(network)
    _without_stochastic_depth(network)
    _take_bands(network, bands, name)
    extraction = import_module("torchvision.models.feature_extraction")
    modules = _last_of_each_stride(network, bands, name)
    try:
        traced = extraction.create_feature_extractor(network.eval(), modules)
    except Exception as error:  # what cannot be traced fails in any way
        problem = f"{probing.described(error)} while it is traced"
        raise ConfigError(f"encoder {name}", problem, "a network that torch.fx can trace", probing.REMEDY) from None
    # The graph of evaluation mode has no functional dropout; batch norms are modules, with a mode of their own.
    traced.eval()
    return Features(fx.GraphModule(traced, traced.graph)).train()


def _last_of_each_stride(network: nn.Module, bands: int, name: str) -> list[str]:
    """Return the name of the last stage of each stride."""
    outputs: dict[str, Tensor] = {}

    def keeping(module_name: str) -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
        def keep(_: nn.Module, __: tuple[Any, ...], output: Any) -> None:
            if isinstance(output, Tensor):
                outputs[module_name] = output

        return keep

    hooks = [module.register_forward_hook(keeping(key)) for key, module in network.named_modules() if key]
    try:
        probing.run_once(network, probing.small_image(network, bands), name)
    finally:
        for hook in hooks:
            hook.remove()
    layouts = {key: probing.layout(output) for key, output in outputs.items()}
    stages = set(_stage_names(network, layouts))
    return list(probing.last_of_each_stride({key: output for key, output in outputs.items() if key in stages}, name))


def _stage_names(network: nn.Module, layouts: Mapping[str, probing.Layout | None], prefix: str = "") -> Iterator[str]:
    """Yield the names of the stages: the parts of a network, and instead of a sequence of several strides its parts.

    Inside a block the features of its input are widened first, at the stride of the stage before.
    """
    for child_name, child in network.named_children():
        key = prefix + child_name
        strides = {layouts.get(f"{key}.{part}") for part, _ in child.named_children()}
        if key in layouts and not (isinstance(child, nn.Sequential) and _several(strides)):
            yield key
        else:
            yield from _stage_names(child, layouts, f"{key}.")


def _several(layouts: Iterable[probing.Layout | None]) -> bool:
    return len({layout.stride for layout in layouts if layout}) > 1
