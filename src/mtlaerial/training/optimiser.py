"""The optimiser, its learning rate, and the clipping of gradients."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_

from mtlaerial.config import TrainingSpec


def build_optimiser(
    network: nn.Module, spec: TrainingSpec, others: Sequence[nn.Parameter] = ()
) -> torch.optim.Optimizer:
    """Return Adam, or AdamW where there is weight decay; parameters besides the network's do not decay."""
    options: dict[str, Any] = {"lr": spec.learning_rate, "betas": spec.betas, "fused": True}
    groups: list[dict[str, Any]] = [{"params": list(network.parameters()), "weight_decay": spec.weight_decay}]
    if others:
        groups.append({"params": list(others), "weight_decay": 0.0})
    return torch.optim.AdamW(groups, **options) if spec.weight_decay else torch.optim.Adam(groups, **options)


def learning_rate(spec: TrainingSpec, step: int, steps: int) -> float:
    """Return the learning rate of a step (counted from 0) of a training of so many steps."""
    if spec.schedule == "constant":
        return spec.learning_rate
    rise = max(1, steps // 10)
    if step < rise:
        return spec.learning_rate * (step + 1) / rise
    return spec.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def clip_gradient(network: nn.Module, optimiser: torch.optim.Optimizer, limit: float, scaler: Any = None) -> None:
    """Shorten the gradient of a network to a norm; other parameters of the optimiser keep theirs.

    Parameters
    ----------
    network : nn.Module
    optimiser : torch.optim.Optimizer
    limit : float
        Largest L2 norm.
    scaler : torch.amp.GradScaler, optional
        Of gradients in 16-bit floats, which are unscaled first.
    """
    if scaler:
        # Fabric refuses to clip with fused optimisers; torch's scaler knows that it has unscaled them.
        scaler.unscale_(optimiser)
    clip_grad_norm_(network.parameters(), limit, error_if_nonfinite=False)
