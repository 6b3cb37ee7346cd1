"""Operations, kept bytes and sizes of a network, counted by torch without memory."""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mtlaerial.config import D3NetSpec, Task
from mtlaerial.models import build_model

PATCH = 64
"""Side in pixels of the patch that is counted; operations and kept bytes are proportional to the area."""
STATE = 16
"""Bytes of a parameter in training: weight, gradient and Adam's two moments in float32."""
Outputs = tuple[tuple[Task, int], ...]
"""Channels of each task's output."""


@dataclass(frozen=True)
class Network:
    """Counts of a network in float32.

    Attributes
    ----------
    flop, encoder_flop : float
        Operations of a forward pass per image pixel, whole and of the encoder alone.
    kept_bytes : float
        Bytes per pixel of a batch that are kept for the backward pass.
    parameters : int
    weight_bytes : int
        Bytes of the state dict.
    """

    flop: float
    encoder_flop: float
    kept_bytes: float
    parameters: int
    weight_bytes: int

    def training_bytes(self, batch: int, patch: int) -> float:
        """Return the bytes of a training: parameters, gradients, moments, and what the backward pass needs."""
        return STATE * self.parameters + self.kept_bytes * batch * patch**2

    def pass_flop(self, passes: int) -> float:
        """Return the operations per pixel of some passes with dropout, which share the encoder; 0: one without."""
        return self.encoder_flop + max(1, passes) * (self.flop - self.encoder_flop)


@cache
def counted(spec: D3NetSpec, outputs: Outputs) -> Network:
    """Return the counts of a network with some outputs for images of three bands."""
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        if not isinstance(tensor, nn.Parameter):
            kept[tensor.untyped_storage()._cdata] = tensor  # tensors that share a storage count once
        return tensor

    with torch.device("meta"):
        network = build_model(spec, 3, dict(outputs)).train()
        patch = torch.empty(1, 3, PATCH, PATCH)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        with FlopCounterMode(display=False) as encoder:
            encoded = network.encode(patch)
        with FlopCounterMode(display=False) as decoder:
            network.decode(encoded)
    encoder_flop, area = encoder.get_total_flops(), PATCH**2
    return Network(
        flop=(encoder_flop + decoder.get_total_flops()) / area,
        encoder_flop=encoder_flop / area,
        kept_bytes=sum(tensor.untyped_storage().nbytes() for tensor in kept.values()) / area,
        parameters=sum(weight.numel() for weight in network.parameters()),
        weight_bytes=sum(weight.numel() * weight.element_size() for weight in network.state_dict().values()),
    )
