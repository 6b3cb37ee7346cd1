"""The training loop, and all that changes in it."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from mtlaerial.checkpoint import ResumeFile
from mtlaerial.compiling import compile_network
from mtlaerial.config import PredictionSpec
from mtlaerial.cost import save_cost
from mtlaerial.errors import TrainingError
from mtlaerial.inference import MapNetwork, Normalisation, build_blender, inference_forward
from mtlaerial.losses import TaskLosses, median_frequency_weights
from mtlaerial.meter import Meter
from mtlaerial.models import build_model
from mtlaerial.models.imagenet import load_encoder
from mtlaerial.models.recomputing import checkpoint_network
from mtlaerial.optimisation import build_optimiser, learning_rate
from mtlaerial.parallel import Group, reproducible_fabric
from mtlaerial.progress import Progress
from mtlaerial.raster import writing
from mtlaerial.runs import RunPlan, describe, save_run, task_outputs
from mtlaerial.sampling import build_sampler
from mtlaerial.statistics import Statistics
from mtlaerial.tiles import load_tiles
from mtlaerial.updating import Update, Updater
from mtlaerial.validation import Validator
from mtlaerial.weighting import build_weighting
from mtlaerial.weighting.conflict import conflict

log = logging.getLogger(__name__)


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
        self.weighting = build_weighting(plan.weighting, plan.tasks)
        self.fabric = reproducible_fabric(spec, plan.seed)
        self.group, self.device = Group.current(), self.fabric.device
        self.outputs = task_outputs(plan.tasks, statistics)
        network = build_model(plan.model, len(statistics.bands), self.outputs)
        if pretrained:
            load_encoder(network, pretrained)
        if spec.channels_last:
            network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch types lack it
        self.weighting.to(self.device)
        optimiser = build_optimiser(network, spec, self.weighting.parameters())
        # Fabric's wrapper of the model is not used: it lets nobody look at gradients on their way back.
        wrapped, self.optimiser = self.fabric.setup(network, optimiser)
        self.network = wrapped.module
        if spec.checkpointing:
            checkpoint_network(self.network)
        if spec.compile:
            compile_network(self.network, self.weighting)
        losses = TaskLosses(spec, self._class_weights(), statistics.zero_height).to(self.device)
        self.normalise = Normalisation(*statistics.range)
        sampler = build_sampler(training_tiles, spec, self.device)
        self.update = Updater(
            plan, spec.epochs * self.steps_per_epoch, self.fabric, self.network, self.optimiser,
            losses, self.weighting, sampler, self.normalise,
        )  # fmt: skip
        held_out = load_tiles(validation_tiles, self.device, spec.memory_budget_mb)
        self.validator = Validator(held_out, statistics) if held_out else None
        self.epoch = 0
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] | None = None
        self.meter = Meter(self.device)

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps in an epoch."""
        return math.ceil(self.spec.epoch_patches / self.spec.batch)

    def run(self, state: ResumeFile) -> None:
        """Train the epochs that are left; the state is stored after each."""
        steps, epochs = self.steps_per_epoch, self.spec.epochs
        bar = Progress(epochs * steps, "training", "step", self.epoch * steps)
        while self.epoch < epochs:
            self._train_epoch(bar)
            self.epoch += 1
            if self.validator and (self.epoch % self.spec.validate_every == 0 or self.epoch == epochs):
                self.history[-1] |= self._validate()
            log.info("%s", ", ".join(f"{key} {value:.4g}" for key, value in self.history[-1].items()))
            if self.group.main:
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
        save_cost(self.meter.cost(), folder / "cost.json")

    def _train_epoch(self, bar: Progress) -> None:
        self.network.train()
        first, updates = self.epoch * self.steps_per_epoch, []
        self.meter.begin()
        for step in range(first, first + self.steps_per_epoch):
            done, last = step + 1, step + 1 == first + self.steps_per_epoch
            logged = last or done % self.spec.log_every == 0
            updates.append(self.update(step, looked_at=logged and len(self.plan.tasks) > 1))
            bar.update(1)
            if logged:
                self.history.append(self._row(done, updates))
                self.meter.end(len(updates))
                self.meter.begin()
                updates = []
        self.weighting.end_epoch()
        self.group.average_statistics(self.network)

    def _row(self, done: int, updates: list[Update]) -> dict[str, Any]:
        """Return a row of the history: means over some updates, and the tasks' gradients in the last of them."""
        tasks = self.plan.tasks
        losses = torch.stack([update.losses for update in updates]).mean(dim=0)
        self.group.add_up([losses])
        means = dict(zip(tasks, losses.tolist(), strict=True))
        self._require_finite(means)
        rate = learning_rate(self.spec, done - 1, self.spec.epochs * self.steps_per_epoch)
        row: dict[str, Any] = {"step": done, "epoch": done / self.steps_per_epoch, "learning_rate": rate}
        row |= {f"loss_{task}": mean for task, mean in means.items()}
        if updates[-1].gramian is not None:
            weights = torch.stack([update.weights.cpu().double() for update in updates]).mean(dim=0)
            row |= {f"weight_{task}": weight for task, weight in zip(tasks, weights.tolist(), strict=True)}
            row |= conflict(updates[-1].gramian, tasks)
        return row

    def _validate(self) -> dict[str, float]:
        assert self.validator
        forward = inference_forward(self.network.eval(), self.spec.precision, self.device)
        prediction = PredictionSpec.fitted()
        mapper = MapNetwork(forward, self.normalise, prediction, self.outputs, self.spec.height_unit)
        scores = self.validator(build_blender(mapper, prediction, self.plan.model.multiple, self.device), mapper)
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
            "meter": self.meter.state_dict(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go back to a stored state."""
        self.epoch, self.history, self.best = state["epoch"], state["history"], state["best"]
        self.network.load_state_dict(state["model"])
        self.optimiser.optimizer.load_state_dict(state["optimiser"])
        self.weighting.load_state_dict(state["weighting"])
        self.fabric.strategy.precision.load_state_dict(state["precision"])
        self.meter.load_state_dict(state["meter"])

    def _class_weights(self) -> torch.Tensor:
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
