"""Batch norms that would see a single value per channel, which has no variance to divide by."""

import copy

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mtlaerial.errors import ConfigError
from mtlaerial.models import Network
from mtlaerial.runs.plan import RunPlan
from mtlaerial.training.freezing import Freezing


class _LoneValueError(Exception):
    """A batch norm in training mode was given one value per channel."""


def require_several_values(network: Network, plan: RunPlan, bands: int, patches: int) -> None:
    """Refuse a pass of one patch that the network reduces to a single pixel, and normalises there.

    Parameters
    ----------
    network : Network
        It is not changed.
    plan : RunPlan
    bands : int
        Bands of the image.
    patches : int
        Patches per pass of a process.

    Raises
    ------
    ConfigError
    """
    patch, multiple = plan.training.patch, plan.model.multiple
    if patches > 1 or patch > multiple:
        return
    if _normalises_lone_values(_as_last_trained(network, plan), torch.zeros(1, bands, patch, patch)):
        raise ConfigError(
            "training.patch",
            f"{patch} in passes of one patch, of which a batch norm of the network gets one value per channel",
            f"a larger patch, as the network reduces {multiple} pixels to one, or several patches per pass",
            f"Write patch: {2 * multiple}, or raise training.batch or lower training.accumulate.",
        )


def _as_last_trained(network: Network, plan: RunPlan) -> Network:
    """Return a copy in training mode with the parts frozen that the last epoch does not train either."""
    trained = copy.deepcopy(network).train()
    start = plan.model.start
    Freezing(trained, start.freeze if start else {}).apply(plan.training.epochs - 1)
    return trained


def _normalises_lone_values(network: Network, image: Tensor) -> bool:
    """Tell whether a batch norm in training mode gets one value per channel; its statistics are then not changed."""
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.register_forward_pre_hook(_refuse_lone_values)
    # Dropout must not draw from the generator that the training draws from.
    with torch.no_grad(), torch.random.fork_rng([]):
        try:
            network(image)
        except _LoneValueError:
            return True
    return False


def _refuse_lone_values(norm: nn.Module, inputs: tuple[Tensor]) -> None:
    if norm.training and inputs[0].numel() == inputs[0].shape[1]:
        raise _LoneValueError
