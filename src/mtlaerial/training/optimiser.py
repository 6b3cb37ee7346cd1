"""The optimiser, its learning rate, and the clipping of gradients."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_

from mtlaerial.config import TrainingSpec
from mtlaerial.training.parameter_groups import ParameterGroup


def build_optimiser(
    groups: Sequence[ParameterGroup],
    spec: TrainingSpec,
    others: Sequence[nn.Parameter] = (),
    rate: float | None = None,
) -> torch.optim.Optimizer:
    """Return Adam, or AdamW where there is weight decay.

    Parameters
    ----------
    groups : sequence of ParameterGroup
        The network's parameters.
    spec : TrainingSpec
    others : sequence of Parameter
        Parameters besides the network's, which do not decay.
    rate : float, optional
        Their learning rate where the network's is ``spec.learning_rate``; both follow the schedule. By default that.
    """
    options: dict[str, Any] = {"lr": spec.learning_rate, "betas": spec.betas, "fused": True}
    decay = spec.weight_decay
    entries: list[dict[str, Any]] = [
        {"params": group.parameters, "weight_decay": decay, "factor": group.factor} for group in groups
    ]
    if others:
        factor = 1.0 if rate is None else rate / spec.learning_rate
        entries.append({"params": list(others), "weight_decay": 0.0, "factor": factor})
    return torch.optim.AdamW(entries, **options) if spec.weight_decay else torch.optim.Adam(entries, **options)


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of an optimiser, times the factor of each group that has one."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get("factor", 1.0)


def learning_rate(spec: TrainingSpec, step: int, steps: int) -> float:
    """Return the learning rate of a step (counted from 0) of a training of so many steps."""
    if spec.schedule == "constant":
        return spec.learning_rate
    rise = max(1, int(steps * spec.warmup))
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
