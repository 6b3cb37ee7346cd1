"""The training loop, and all that changes in it."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from mtlaerial.augmentation import change_colours
from mtlaerial.checkpoint import ResumeFile
from mtlaerial.config import PredictionSpec, Task, TrainingSpec
from mtlaerial.errors import TrainingError
from mtlaerial.inference import MapNetwork, Normalisation, build_blender, inference_forward
from mtlaerial.losses import TaskLosses, median_frequency_weights
from mtlaerial.models import D3Net, build_model
from mtlaerial.models.imagenet import load_encoder
from mtlaerial.optimisation import build_optimiser, learning_rate
from mtlaerial.progress import Progress
from mtlaerial.raster import writing
from mtlaerial.runs import RunPlan, describe, save_run, task_outputs
from mtlaerial.sampling import PatchSampler
from mtlaerial.statistics import Statistics
from mtlaerial.tiles import load_tiles
from mtlaerial.validation import Validator
from mtlaerial.weighting import Step, build_weighting

log = logging.getLogger(__name__)


def _reproducible_fabric(spec: TrainingSpec, seed: int) -> Any:
    """Return Lightning Fabric's device and precision, with torch set to give the same numbers each time."""
    from lightning_fabric import Fabric

    torch.set_num_threads(spec.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a fifth of a step
    torch.manual_seed(seed)
    return Fabric(accelerator=spec.accelerator, devices=1, precision=spec.precision)


def _parameters(network: D3Net) -> tuple[list[Tensor], dict[Task, list[Tensor]]]:
    """Return the parameters of the trunk, and those of each task's head."""
    heads: dict[Task, list[Tensor]] = {task: list(network.heads[task].parameters()) for task in network.tasks}
    return list(network.trunk.parameters()), heads


class Trainer:
    """The loop and all that changes in it; its state can be taken and given back between epochs.

    Parameters
    ----------
    plan, statistics, training_tiles, validation_tiles, pretrained
        As in :func:`mtlaerial.training.train`.
    """

    def __init__(
        self,
        plan: RunPlan,
        statistics: Statistics,
        training_tiles: Sequence[Path],
        validation_tiles: Sequence[Path],
        pretrained: Path | None = None,
    ) -> None:
        spec = plan.training
        self.plan, self.spec, self.statistics = plan, spec, statistics
        self.fabric = _reproducible_fabric(spec, plan.seed)
        self.device = self.fabric.device
        self.outputs = task_outputs(plan.tasks, statistics)
        network = build_model(plan.model, len(statistics.bands), self.outputs)
        if pretrained:
            load_encoder(network, pretrained)
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch types lack it
        # Fabric's wrapper of the model is not used: it lets nobody look at gradients on their way back.
        wrapped, self.optimiser = self.fabric.setup(network, build_optimiser(network, spec))
        self.network = wrapped.module
        self.parameters = _parameters(self.network)
        self.losses = TaskLosses(spec, self._class_weights(), statistics.zero_height).to(self.device)
        self.weighting = build_weighting(plan.weighting, plan.tasks)
        self.normalise = Normalisation(*statistics.range)
        tiles = load_tiles(training_tiles, self.device, spec.memory_budget_mb)
        self.sampler = PatchSampler(tiles, spec.patch, spec.augmentation)
        held_out = load_tiles(validation_tiles, self.device, spec.memory_budget_mb)
        self.validator = Validator(held_out, statistics) if held_out else None
        self.epoch = 0
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] | None = None

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps in an epoch."""
        return math.ceil(self.spec.epoch_patches / self.spec.batch)

    def run(self, state: ResumeFile) -> None:
        """Train the epochs that are left; the state is stored after each."""
        steps, epochs = self.steps_per_epoch, self.spec.epochs
        bar = Progress(epochs * steps, "training", "step", self.epoch * steps)
        while self.epoch < epochs:
            row = self._train_epoch(bar)
            self.epoch += 1
            if self.validator and (self.epoch % self.spec.validate_every == 0 or self.epoch == epochs):
                row |= self._validate()
            self.history.append(row)
            log.info("%s", ", ".join(f"{key} {value:.4g}" for key, value in row.items()))
            state.save(self.state())
        bar.close()

    def save(self, folder: Path) -> None:
        """Write the trained run."""
        last = self.snapshot()
        found = {"best": self.best or last, "last": last}
        kept = found[self.spec.selection]
        weights = {name: snapshot["weights"] for name, snapshot in found.items()}
        save_run(folder, describe(self.plan, self.statistics, int(kept["epoch"])), kept["weights"], weights)
        with writing(folder / "history.csv") as path:
            pd.DataFrame(self.history).to_csv(path, index=False, float_format="%.6g")

    def _train_epoch(self, bar: Progress) -> dict[str, Any]:
        self.network.train()
        tasks = self.plan.tasks
        losses, weights = torch.zeros(2, len(tasks), device=self.device)
        first = self.epoch * self.steps_per_epoch
        for step in range(first, first + self.steps_per_epoch):
            step_losses, step_weights = self._step(step)
            losses += torch.stack([step_losses[task].detach() for task in tasks])
            weights += step_weights.to(self.device, losses.dtype)
            bar.update(1)
        means = dict(zip(tasks, (losses / self.steps_per_epoch).tolist(), strict=True))
        self._require_finite(means)
        rate = learning_rate(self.spec, first + self.steps_per_epoch - 1, self.spec.epochs * self.steps_per_epoch)
        row = {"epoch": self.epoch + 1, "learning_rate": rate, **{f"loss_{task}": means[task] for task in tasks}}
        if len(tasks) > 1:
            row |= dict(zip((f"weight_{t}" for t in tasks), (weights / self.steps_per_epoch).tolist(), strict=True))
        return row

    def _step(self, step: int) -> tuple[dict[Task, Tensor], Tensor]:
        """One update; everything random in it follows from the seed and the step, so a resumed run repeats it."""
        generator = torch.Generator().manual_seed(self.plan.seed * 2**32 + step)
        torch.manual_seed(self.plan.seed * 2**32 + step)
        batch = self.sampler.draw(self.spec.batch, generator)
        image = change_colours(self.normalise(batch.image), self.spec.augmentation.colour, generator)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.spec, step, self.spec.epochs * self.steps_per_epoch)
        image = image.contiguous(memory_format=torch.channels_last)
        image.requires_grad_(self.weighting.differentiates_image)
        with self.fabric.autocast():
            features = self.network.features(image)
            seen = tuple(f.detach().requires_grad_() for f in features) if self.weighting.cuts else features
            losses = self.losses(self.network.outputs(seen), batch)
        self.optimiser.zero_grad()
        weights = self.weighting.backward(Step(losses, features, seen, *self.parameters, image, self._scaled))
        self.optimiser.step()
        return losses, weights

    def _validate(self) -> dict[str, float]:
        assert self.validator
        forward = inference_forward(self.network.eval(), self.spec.precision, self.device)
        prediction = PredictionSpec.for_patch(self.spec.patch)
        mapper = MapNetwork(forward, self.normalise, prediction, self.outputs, self.spec.height_unit)
        scores = self.validator(build_blender(mapper, prediction, self.device), mapper)
        if "score" in scores and (self.best is None or scores["score"] > self.best["score"]):
            self.best = {**self.snapshot(), "score": scores["score"]}
        return {f"val_{key}": value for key, value in scores.items()}

    def snapshot(self) -> dict[str, Any]:
        """Return a copy of the weights, with the epoch they are from."""
        weights = {key: value.detach().cpu().clone() for key, value in self.network.state_dict().items()}
        return {"epoch": self.epoch, "weights": weights}

    def state(self) -> dict[str, Any]:
        """Return all that a resumed training needs."""
        return {
            "epoch": self.epoch,
            "history": self.history,
            "best": self.best,
            "model": self.network.state_dict(),
            "optimiser": self.optimiser.optimizer.state_dict(),
            "weighting": self.weighting.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go back to a stored state."""
        self.epoch, self.history, self.best = state["epoch"], state["history"], state["best"]
        self.network.load_state_dict(state["model"])
        self.optimiser.optimizer.load_state_dict(state["optimiser"])
        self.weighting.load_state_dict(state["weighting"])
        self.fabric.strategy.precision.load_state_dict(state["precision"])

    def _scaled(self, loss: Tensor) -> Tensor:
        scaler = getattr(self.fabric.strategy.precision, "scaler", None)
        return loss if scaler is None else scaler.scale(loss)

    def _class_weights(self) -> Tensor:
        pixels = torch.tensor([entry.pixels for entry in self.statistics.classes])
        if self.spec.class_weights == "none":
            return torch.ones(len(pixels))
        return median_frequency_weights(pixels)

    def _require_finite(self, means: dict[str, float]) -> None:
        for task, mean in means.items():
            if not math.isfinite(mean):
                raise TrainingError(
                    f"{self.plan.dataset}, {self.plan.method}, seed {self.plan.seed}",
                    f"a {task} loss of {mean} in epoch {self.epoch + 1}", "a finite loss",
                    "Lower training.learning_rate, or use precision 32-true; the last good epoch's state is kept.",
                )  # fmt: skip
