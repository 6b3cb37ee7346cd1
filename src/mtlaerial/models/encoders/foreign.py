"""Encoders from networks of other libraries, which are measured, since not all are what they say of themselves."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from mtlaerial.models.depthwise import with_float32_depthwise
from mtlaerial.models.encoders import probing
from mtlaerial.models.encoders.encoder import Encoder


class ForeignEncoder(Encoder):
    """A network of another library as an encoder.

    Parameters
    ----------
    network : Module
        Maps an image to a sequence of tensors, in the order of its layers; of several with the same stride the last is
        taken. It becomes a part of the encoder, without its dropout, with the depthwise convolutions of
        :mod:`mtlaerial.models.depthwise`, and with all its buffers among the weights of a run.
    bands : int
        Bands of the image.
    name : str
        The network's name, for messages.

    Raises
    ------
    ConfigError
        When the network does not take images of any size, has no two scales at strides of 2 to 32, has parameters that
        no scale depends on, or no convolution of the bands.
    """

    def __init__(self, network: nn.Module, bands: int, name: str) -> None:
        super().__init__()
        self.network = with_float32_depthwise(without_dropout(network))
        for module in network.modules():
            module._non_persistent_buffers_set.clear()
        outputs = dict(enumerate(probing.run_once(network, probing.small_image(network, bands), name)))
        self._layouts = probing.last_of_each_stride(outputs, name)
        self.strides = tuple(layout.stride for layout in self._layouts.values())
        self.channels = tuple(layout.channels for layout in self._layouts.values())
        self._first_convolution = probing.first_convolution(network, bands, name)
        levels = probing.parameter_levels(network, [outputs[place] for place in self._layouts], name)
        self._stages = [probing.modules_at(network, levels, level) for level in range(len(self._layouts))]

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the features of each scale, from fine to coarse."""
        outputs = self.network(image)
        return tuple(_channels_first(outputs[place], layout) for place, layout in self._layouts.items())

    @property
    def first_convolution(self) -> nn.Conv2d:
        """The layer that the bands of the image enter."""
        return self.network.get_submodule(self._first_convolution)  # type: ignore[return-value]  # is measured

    def stages(self) -> Sequence[nn.Module]:
        """Return for each scale the layers that it depends on and the finer ones do not."""
        return [self._stage(names) for names in self._stages]

    def _stage(self, names: Sequence[str]) -> nn.Module:
        modules = dict(self.network.named_modules())
        parameters = dict(self.network.named_parameters())
        stage = nn.ModuleList(modules[name] for name in names if name in modules)
        stage.append(nn.ParameterList(parameters[name] for name in names if name in parameters))
        return stage


def measurable(build: Callable[[], ForeignEncoder]) -> ForeignEncoder:
    """Build an encoder where it can be measured: with memory, and with gradients.

    On torch's device without memory it is built on the CPU and moved; the random numbers of its weights are given back.
    """
    with torch.inference_mode(False):
        if torch.get_default_device().type != "meta":
            return build()
        with torch.random.fork_rng(devices=[]), torch.device("cpu"):
            encoder = build()
        return encoder.to("meta")


def without_dropout(network: nn.Module) -> nn.Module:
    """Replace a network's dropout layers by nothing, in place: Monte Carlo passes run an encoder once."""
    layers = [name for name, module in network.named_modules() if isinstance(module, nn.modules.dropout._DropoutNd)]
    for name in layers:
        network.set_submodule(name, nn.Identity())
    return network


def _channels_first(features: Tensor, layout: probing.Layout) -> Tensor:
    return features.permute(0, 3, 1, 2).contiguous() if layout.channels_last else features
