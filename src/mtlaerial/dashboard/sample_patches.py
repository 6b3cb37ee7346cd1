"""Sample patches of a training: chosen once, and predicted after each epoch."""

import logging
from collections.abc import Callable, Sequence

import torch

from mtlaerial.dashboard.samples import Maps, Patch, choose, predict
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.tiles.tile import load_tiles
from mtlaerial.training.job import TrainingJob

log = logging.getLogger(__name__)
CPU = torch.device("cpu")


class SamplePatches:
    """Patches of the validation tiles, or of the training tiles where the former have no truth.

    Parameters
    ----------
    number : int
        Largest number of patches.
    job : TrainingJob

    Attributes
    ----------
    patches : sequence of Patch
        None are left after an error.
    split : str
        ``validation`` or ``training``, whose tiles they are from.
    """

    def __init__(self, number: int, job: TrainingJob) -> None:
        self.patches, self.split = _choose(number, job) if number else ([], "")

    def predict(self, network: Callable[[], MapNetwork], device: torch.device) -> list[Maps]:
        """Return the predictions of the patches by the network in evaluation mode; none where there are none."""
        if not self.patches:
            return []
        try:
            return predict(network(), self.patches, device)
        except Exception as error:  # probably out of memory: the training can do without patches
            self.patches = ()
            log.warning("dashboard: no more patches (%s: %s)", type(error).__name__, error)
            return []

    def heading(self, epoch: int) -> str:
        """Return the heading of their picture after an epoch."""
        return f"patches of {self.split} tiles after epoch {epoch}"


def _choose(number: int, job: TrainingJob) -> tuple[Sequence[Patch], str]:
    plan = job.plan
    for split, folders in (("validation", job.validation_tiles), ("training", job.training_tiles)):
        tiles = load_tiles(folders, CPU, budget_mb=0)
        sizes = plan.training.patch, plan.model.multiple, plan.model.context_scale
        if patches := choose(tiles, plan.tasks, number, *sizes):
            return patches, split
    return [], ""
