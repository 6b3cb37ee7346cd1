"""Overview of a training, for its log and the terminal when it begins."""

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from mtlaerial.training.trainer import Trainer


def overview(trainer: "Trainer") -> str:
    """Return lines on data, network, device, steps and results of a training."""
    plan, spec, job = trainer.plan, trainer.spec, trainer.job
    parameters = sum(parameter.numel() for parameter in trainer.network.parameters())
    epochs = "1 epoch" if spec.epochs == 1 else f"{spec.epochs} epochs"
    tiles = f"{len(job.training_tiles)} to train on, {len(job.validation_tiles)} to validate"
    lines = {
        "device": _device(trainer),
        "network": f"{plan.model.architecture}, {parameters:,} parameters",
        "weighting": plan.weighting.name if len(plan.tasks) > 1 else "none, as there is one task",
        "tiles": tiles,
        "patches": f"{spec.patch} x {spec.patch} pixels, {spec.batch} in a batch",
        "steps": f"{spec.steps:,} in {epochs} of {spec.steps_per_epoch:,}",
        "results": str(job.folder),
    }
    title = f"Training {plan.method} on {plan.dataset}, seed {plan.seed}: {' and '.join(plan.tasks)}"
    return "\n".join([title, *(f"  {name:<10}{text}" for name, text in lines.items())])


def _device(trainer: "Trainer") -> str:
    """Return device, threads, precision and processes as a phrase."""
    spec, device = trainer.spec, trainer.device
    threads = "1 thread" if spec.threads == 1 else f"{spec.threads} threads"
    parts = [str(torch.cuda.get_device_name(device)) if device.type == "cuda" else f"CPU with {threads}"]
    parts.append(f"precision {spec.precision}")
    parts += ["compiled"] if spec.compile else []
    parts += [f"{trainer.group.size} processes"] if trainer.group.size > 1 else []
    return ", ".join(parts)
