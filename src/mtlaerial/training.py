"""Training one run: one data set, one method, one seed."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from mtlaerial.augmentation import change_colours
from mtlaerial.checkpoint import ResumeFile, alone
from mtlaerial.config import PredictionSpec, TrainingSpec
from mtlaerial.errors import TrainingError
from mtlaerial.inference import MapNetwork, Normalisation, build_blender, inference_forward
from mtlaerial.losses import TaskLosses, median_frequency_weights
from mtlaerial.models import build_model
from mtlaerial.progress import Progress
from mtlaerial.raster import writing
from mtlaerial.runs import RunPlan, describe, fingerprint, save_run, task_outputs
from mtlaerial.sampling import PatchSampler
from mtlaerial.statistics import Statistics, digest
from mtlaerial.tiles import load_tiles
from mtlaerial.validation import Validator
from mtlaerial.weighting import build_weighting

log = logging.getLogger(__name__)


def train(
    plan: RunPlan,
    statistics: Statistics,
    training_tiles: Sequence[Path],
    validation_tiles: Sequence[Path],
    folder: Path,
    resume: Path | None = None,
) -> None:
    """Train a run and write ``run.yaml``, ``history.csv``, and as safetensors ``best``, ``last``, and ``model``.

    ``model`` is the one of the two others that ``training.selection`` says; without validation tiles they are the same.

    Parameters
    ----------
    plan : RunPlan
        What to train, and how.
    statistics : Statistics
        Of the training tiles.
    training_tiles, validation_tiles : sequence of Path
        Folders of prepared tiles; without validation tiles the last weights are used.
    folder : Path
        The run's folder.
    resume : Path, optional
        Folder for the state of the unfinished training, for any number of runs; by default the run's own. A training
        that was killed goes on from there and ends as an unbroken one would.

    Raises
    ------
    TrainingError
        When there is nothing to learn from, or the loss is no longer finite.
    """
    _require_truth(plan, statistics)
    identity = _identity(plan, statistics, validation_tiles)
    path = resume / f"{identity[:16]}.resume.pt" if resume else folder / "model.resume.pt"
    state = ResumeFile(path, identity)
    with alone(folder):
        trainer = Trainer(plan, statistics, training_tiles, validation_tiles)
        if stored := state.load():
            trainer.load_state(stored)
            log.info("going on after epoch %d", trainer.epoch)
        trainer.run(state)
        trainer.save(folder)
        state.remove()


def _identity(plan: RunPlan, statistics: Statistics, validation_tiles: Sequence[Path]) -> str:
    """Return a fingerprint of all that decides a training: not memory, nor titles and names."""
    said: dict[str, Any] = dict.fromkeys(("title", "licence", "citation", "generated"), True)
    said["classes"] = {"__all__": {"name", "colour"}}
    return fingerprint(
        plan.model_dump(exclude={"training": {"memory_budget_mb"}}),
        statistics.model_dump(exclude=said),
        {tile.name: digest(tile) for tile in validation_tiles},
    )


def _require_truth(plan: RunPlan, statistics: Statistics) -> None:
    present = {"semantics": bool(statistics.classes), "height": statistics.height is not None}
    for task in plan.tasks:
        if not present[task]:
            layer = "labels" if task == "semantics" else "height"
            raise TrainingError(
                f"{statistics.dataset}, training tiles", f"no valid {layer}", f"{layer} to learn {task} from",
                f"Add the layer, or take {task} out of the method's tasks.",
            )  # fmt: skip


class Trainer:
    """The loop and all that changes in it; its state can be taken and given back between epochs."""

    def __init__(
        self, plan: RunPlan, statistics: Statistics, training_tiles: Sequence[Path], validation_tiles: Sequence[Path]
    ) -> None:
        from lightning_fabric import Fabric

        spec = plan.training
        self.plan, self.spec, self.statistics = plan, spec, statistics
        torch.set_num_threads(spec.threads)
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a fifth of a step
        torch.manual_seed(plan.seed)
        self.fabric = Fabric(accelerator=spec.accelerator, devices=1, precision=spec.precision)
        self.device = self.fabric.device
        self.outputs = task_outputs(plan.tasks, statistics)
        network = build_model(plan.model, len(statistics.bands), self.outputs)
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch types lack it
        optimiser = _optimiser(network, spec)
        self.model, self.optimiser = self.fabric.setup(network, optimiser)
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
        self.model.train()
        totals: dict[str, Tensor] = {task: torch.zeros((), device=self.device) for task in self.plan.tasks}
        first = self.epoch * self.steps_per_epoch
        for step in range(first, first + self.steps_per_epoch):
            losses = self._step(step)
            for task, loss in losses.items():
                totals[task] += loss.detach()
            bar.update(1)
        means = {task: float(total) / self.steps_per_epoch for task, total in totals.items()}
        self._require_finite(means)
        rate = learning_rate(self.spec, first + self.steps_per_epoch - 1, self.spec.epochs * self.steps_per_epoch)
        return {
            "epoch": self.epoch + 1,
            "learning_rate": rate,
            **{f"loss_{task}": mean for task, mean in means.items()},
        }

    def _step(self, step: int) -> dict[str, Tensor]:
        """One update; everything random in it follows from the seed and the step, so a resumed run repeats it."""
        generator = torch.Generator().manual_seed(self.plan.seed * 2**32 + step)
        torch.manual_seed(self.plan.seed * 2**32 + step)
        batch = self.sampler.draw(self.spec.batch, generator)
        image = change_colours(self.normalise(batch.image), self.spec.augmentation.colour, generator)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.spec, step, self.spec.epochs * self.steps_per_epoch)
        outputs = self.model(image.contiguous(memory_format=torch.channels_last))
        losses = self.losses(outputs, batch)
        self.optimiser.zero_grad()
        self.fabric.backward(self.weighting.combine(losses))
        self.optimiser.step()
        return dict(losses)

    def _validate(self) -> dict[str, float]:
        assert self.validator
        network: nn.Module = self.model.module.eval()
        forward = inference_forward(network, self.spec.precision, self.device)
        prediction = PredictionSpec.for_patch(self.spec.patch)
        mapper = MapNetwork(forward, self.normalise, prediction, self.outputs, self.spec.height_unit)
        scores = self.validator(build_blender(mapper, prediction, self.device), mapper)
        if "score" in scores and (self.best is None or scores["score"] > self.best["score"]):
            self.best = {**self.snapshot(), "score": scores["score"]}
        return {f"val_{key}": value for key, value in scores.items()}

    def snapshot(self) -> dict[str, Any]:
        """Return a copy of the weights, with the epoch they are from."""
        weights = {key: value.detach().cpu().clone() for key, value in self.model.module.state_dict().items()}
        return {"epoch": self.epoch, "weights": weights}

    def state(self) -> dict[str, Any]:
        """Return all that a resumed training needs."""
        return {
            "epoch": self.epoch,
            "history": self.history,
            "best": self.best,
            "model": self.model.module.state_dict(),
            "optimiser": self.optimiser.optimizer.state_dict(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go back to a stored state."""
        self.epoch, self.history, self.best = state["epoch"], state["history"], state["best"]
        self.model.module.load_state_dict(state["model"])
        self.optimiser.optimizer.load_state_dict(state["optimiser"])

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


def _optimiser(network: nn.Module, spec: TrainingSpec) -> torch.optim.Optimizer:
    options: dict[str, Any] = {"lr": spec.learning_rate, "betas": spec.betas, "fused": True}
    if spec.weight_decay:
        return torch.optim.AdamW(network.parameters(), weight_decay=spec.weight_decay, **options)
    return torch.optim.Adam(network.parameters(), **options)


def learning_rate(spec: TrainingSpec, step: int, steps: int) -> float:
    """Return the learning rate of a step (counted from 0) of a training of so many steps."""
    if spec.schedule == "constant":
        return spec.learning_rate
    rise = max(1, steps // 10)
    if step < rise:
        return spec.learning_rate * (step + 1) / rise
    return spec.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))
