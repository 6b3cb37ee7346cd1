"""Depthwise convolutions that train in float32 where autocast to bf16 on the CPU would slow them down."""

from functools import cache
from typing import TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


class DepthwiseConv2d(nn.Conv2d):
    """A depthwise convolution: each output channel sees one input channel.

    Under autocast to bf16 on the CPU it computes in float32 wherever a gradient will be needed: oneDNN's backward pass
    of bf16 depthwise convolutions takes several times as long as that of float32, with a stride or a kernel larger than
    3 (``benchmarks/depthwise.py``). Its output is rounded to bf16. Without gradients, and on other devices, it is an
    ``nn.Conv2d``.

    Parameters
    ----------
    channels : int
        Channels of input and output.
    kernel_size, stride, padding, bias
        As of ``nn.Conv2d``.

    Examples
    --------
    >>> convolution = DepthwiseConv2d(8, kernel_size=7, padding=3)
    >>> convolution.groups, convolution.weight.shape
    (8, torch.Size([8, 1, 7, 7]))
    """

    def __init__(self, channels: int, kernel_size: int, stride: int = 1, padding: int = 0, bias: bool = True) -> None:
        super().__init__(channels, channels, kernel_size, stride, padding, groups=channels, bias=bias)

    def forward(self, features: Tensor) -> Tensor:
        """Convolve; the output has autocast's dtype, as that of ``nn.Conv2d``."""
        if not self._trains_in_bf16_on_cpu(features):
            return super().forward(features)
        with torch.autocast("cpu", enabled=False):
            return super().forward(features.float()).bfloat16()

    def _trains_in_bf16_on_cpu(self, features: Tensor) -> bool:
        if features.device.type != "cpu" or not torch.is_autocast_enabled("cpu") or not torch.is_grad_enabled():
            return False
        in_bf16 = torch.get_autocast_dtype("cpu") == torch.bfloat16
        return in_bf16 and (features.requires_grad or self.weight.requires_grad)


def with_float32_depthwise(network: Network) -> Network:
    """Turn a network's depthwise convolutions into :class:`DepthwiseConv2d`, in place, e.g. of a network from timm.

    Parameters
    ----------
    network : Module
        Its tensors, their names and its hooks stay. A subclass of ``nn.Conv2d`` keeps its own forward.

    Returns
    -------
    Module
        The network itself.

    Examples
    --------
    >>> network = with_float32_depthwise(nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, groups=8)))
    >>> [type(layer).__name__ for layer in network]
    ['Conv2d', 'DepthwiseConv2d']
    """
    for module in network.modules():
        if _is_depthwise(module) and not isinstance(module, DepthwiseConv2d):
            module.__class__ = _float32_class(type(module))  # type: ignore[arg-type]  # a class has a hash
    return network


def _is_depthwise(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv2d) and module.groups == module.in_channels > 1


@cache
def _float32_class(conv_class: type[nn.Module]) -> type[nn.Module]:
    """Return a class whose forward is that of ``conv_class``, in float32 where :class:`DepthwiseConv2d` is."""
    if conv_class is nn.Conv2d:
        return DepthwiseConv2d
    return type(f"Float32{conv_class.__name__}", (DepthwiseConv2d, conv_class), {})
