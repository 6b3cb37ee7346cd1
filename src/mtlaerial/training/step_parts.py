"""Assembly of a training step: the patches, the losses, and what is updated by them."""

from typing import Any

from mtlaerial.config.class_names import untrained_classes
from mtlaerial.models import Network
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.sampling import build_sampler
from mtlaerial.tiles.chosen_truth import LabelledTruth
from mtlaerial.training.height_balance import height_weights
from mtlaerial.training.job import TrainingJob
from mtlaerial.training.labelled import warn_of_little_truth
from mtlaerial.training.losses import TaskLosses, class_weights
from mtlaerial.training.process_group import Group
from mtlaerial.training.step_batches import StepBatches
from mtlaerial.training.train_step import TrainStep
from mtlaerial.training.weight_average import WeightAverage
from mtlaerial.weighting import Weighting


def build_train_step(
    job: TrainingJob,
    truth: LabelledTruth | None,
    fabric: Any,
    network: Network,
    optimiser: Any,
    weighting: Weighting,
    average: WeightAverage | None,
) -> TrainStep:
    """Return the step of a training, with the sampler of its patches and its losses on the fabric's device.

    Parameters
    ----------
    job : TrainingJob
        Its statistics are of the truth that is used.
    truth : LabelledTruth, optional
        The part of the truth that is used; None for all of it.
    fabric : Fabric
    network : Network
    optimiser : torch.optim.Optimizer
        The fabric's wrapper of it.
    weighting : Weighting
    average : WeightAverage, optional
    """
    plan, spec, statistics = job.plan, job.plan.training, job.statistics
    balance = height_weights(spec, statistics)
    losses = TaskLosses(spec, class_weights(spec, statistics), statistics.zero_height, plan.tasks, balance)
    losses.to(fabric.device)
    untrained = statistics.codes(untrained_classes(spec))
    drawn_where = plan.tasks, statistics.zero_height, truth.masked if truth else {}
    scale = plan.model.context_scale
    sampler = build_sampler(job.training_tiles, spec, fabric.device, untrained, scale, *drawn_where)
    if Group.current().main:
        warn_of_little_truth(plan, sampler.tiles)
    normalise = Normalisation(*statistics.range)
    batches = StepBatches(plan, sampler, normalise, losses, weighting.batches)
    return TrainStep(plan, fabric, network, optimiser, losses, weighting, batches, average)
