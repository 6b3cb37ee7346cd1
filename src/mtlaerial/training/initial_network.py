"""Network that a training begins with."""

import torch

from mtlaerial.config import D3NetSpec
from mtlaerial.models import Network, build_model
from mtlaerial.models.initialisation import draw_normal_weights
from mtlaerial.runs.plan import task_outputs
from mtlaerial.training.freezing import warn_of_random, weights_of
from mtlaerial.training.job import TrainingJob
from mtlaerial.training.start import load_start


def initial_network(job: TrainingJob) -> Network:
    """Return the network of a training before its first step, with pretrained weights if the job has any.

    Random weights are drawn from torch's default generator, which follows from the seed.
    """
    network = build_model(job.plan.model, len(job.statistics.bands), task_outputs(job.plan, job.statistics))
    spec = job.plan.model
    if isinstance(spec, D3NetSpec) and spec.initialisation == "normal":
        draw_normal_weights(network)
    if job.pretrained:
        drawn = weights_of(network, spec.start.freeze if spec.start else ())
        load_start(network, job)
        warn_of_random(network, drawn)
    if job.plan.training.channels_last:
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch types lack it
    return network
