"""Contexts of networks that predict from the same windows, such as the members of an ensemble."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from mtlaerial.config import NetworkSpec


def context_scales(networks: Iterable[NetworkSpec]) -> tuple[int, ...]:
    """Return the scales of all surroundings that some networks see, ascending, each once.

    Examples
    --------
    >>> from mtlaerial.config import EncoderDecoderSpec
    >>> lite = {"encoder": "efficientnet_lite0"}
    >>> specs = [{}, {"context": {"scale": 8}}, {"context": {"scale": 2}}, {"context": {"scale": 8}}]
    >>> context_scales(EncoderDecoderSpec.parse({**lite, **spec}, "models") for spec in specs)
    (2, 8)
    """
    return tuple(sorted({network.context_scale for network in networks if network.context_scale}))


def with_one_context(windows: Tensor, scales: Sequence[int], scale: int | None) -> Tensor:
    """Return windows with the surroundings of one scale, or of none, behind their bands.

    Parameters
    ----------
    windows : Tensor, shape (batch, bands * (1 + scales), rows, columns)
        The surroundings of each scale behind the bands, in their order.
    scales : sequence of int
    scale : int, optional
        One of them, or None.
    """
    image, *surroundings = windows.chunk(1 + len(scales), dim=1)
    return image if scale is None else torch.cat([image, surroundings[scales.index(scale)]], dim=1)
