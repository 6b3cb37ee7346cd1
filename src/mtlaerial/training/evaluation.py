"""The network that a training validates, shows and saves, and its best weights so far."""

import logging
from typing import Any

import torch

from mtlaerial.config import PredictionSpec, Task
from mtlaerial.config.class_names import untrained_classes
from mtlaerial.models import Network
from mtlaerial.models.height_heads import build_height_head
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.prediction.engines.torch_engine import TorchEngine
from mtlaerial.prediction.map_network import MapNetwork, build_blender, single_pass
from mtlaerial.runs.history_columns import compared_key
from mtlaerial.runs.plan import RunPlan, task_outputs
from mtlaerial.system.signals import Stop
from mtlaerial.tiles.record import image_hash
from mtlaerial.tiles.tile import load_tiles
from mtlaerial.training.job import TrainingJob
from mtlaerial.training.validation import Validator

log = logging.getLogger(__name__)


class Evaluation:
    """Maps, scores and weights of a network in training.

    Parameters
    ----------
    network : Network
        The network that is trained, or the average of its weights.
    job : TrainingJob
    device : torch.device
        The network's.

    Attributes
    ----------
    validator : Validator, optional
        Scores on the validation tiles; None without such tiles.
    best : dict, optional
        Snapshot with the highest ``score`` on the validation tiles; None before one was scored.
    images : dict of str to str
        Hash of the image of each validation tile.
    """

    def __init__(self, network: Network, job: TrainingJob, device: torch.device) -> None:
        self._network, self._plan, self._device = network, job.plan, device
        spec, statistics = job.plan.training, job.statistics
        self._normalise = Normalisation(*statistics.range)
        self._outputs = task_outputs(job.plan, statistics)
        self._heights = build_height_head(spec).to(device)
        self.validator: Validator | None = None
        tiles = load_tiles(job.validation_tiles, device, spec.memory_budget_mb, masks=True)
        if tiles:
            untrained = statistics.codes(untrained_classes(spec))
            self.validator = Validator(tiles, statistics, untrained, job.plan.tasks, spec.score_weights)
        self.images = {tile.name: image_hash(tile) for tile in job.validation_tiles}
        self.best: dict[str, Any] | None = None

    def validate(self, epoch: int, stop: Stop) -> dict[str, float]:
        """Return the scores on the validation tiles, and take a snapshot where they are the best so far.

        Raises
        ------
        Stopped
            Before a tile, when the program was asked to end.
        """
        assert self.validator
        mapper = self.mapper()
        blender = build_blender(mapper, PredictionSpec.fitted(), self._plan.model.multiple, self._device)
        scores = self.validator(blender, mapper, stop)
        if "score" in scores and (self.best is None or scores["score"] > self.best["score"]):
            self.best = {**self.snapshot(epoch), "score": scores["score"]}
        return scores

    @property
    def network(self) -> Network:
        """The network that is trained, or the average of its weights."""
        return self._network

    def mapper(self) -> MapNetwork:
        """Return the network as it is now, for windows fitted to an image; it is left in evaluation mode."""
        engine = TorchEngine(self._network.eval(), self._plan.training.precision, self._device)
        scale = self._plan.model.context_scale
        parts = self._normalise, PredictionSpec.fitted(), self._outputs, self._heights
        return MapNetwork(single_pass(engine), *parts, context_scale=scale)

    def snapshot(self, epoch: int) -> dict[str, Any]:
        """Return a copy of the weights, with the epoch they are from."""
        weights = {key: value.detach().cpu().clone() for key, value in self._network.state_dict().items()}
        return {"epoch": epoch, "weights": weights}


def unscored_tasks(plan: RunPlan, validator: Validator | None) -> list[Task]:
    """Return the tasks that no validation tile has truth of; all without such tiles."""
    # The constant prediction has a score of each task with truth.
    scored = validator.constant if validator else {}
    return [task for task in plan.tasks if compared_key(task) not in scored]


def warn_of_unscored_tasks(plan: RunPlan, validator: Validator | None) -> None:
    """Warn where ``training.selection: best`` goes by fewer tasks than are learned, or by none."""
    if plan.training.selection != "best":
        return
    unscored = unscored_tasks(plan, validator)
    scored = [task for task in plan.tasks if task not in unscored]
    if not scored:
        text = "training.selection is best, but no validation tile has truth of %s: the last weights are used"
        log.warning(text, " or ".join(plan.tasks))
    elif unscored:
        text = "training.selection is best, but no validation tile has truth of %s: weights are chosen by %s alone"
        log.warning(text, " or ".join(unscored), " and ".join(scored))
