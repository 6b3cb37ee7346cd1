"""Device and threads that a prediction computes with."""

import logging
import os
from collections.abc import Sequence

import torch

from mtlaerial.config import PredictionSpec, TrainingSpec
from mtlaerial.config.engines import CPU_ENGINES
from mtlaerial.errors import DeviceError

log = logging.getLogger(__name__)


def device_of(prediction: PredictionSpec, trainings: Sequence[TrainingSpec]) -> torch.device:
    """Return the device of a prediction: the stated one, else a GPU unless a training was to be on the CPU.

    Some engines work on the CPU alone. A machine without a GPU predicts on the CPU, wherever the run was trained.

    Raises
    ------
    DeviceError
        When a GPU is asked for and there is none.
    """
    available = torch.cuda.is_available()
    if prediction.device == "cuda" and not available:
        remedy = "Add --device cpu, or predict on a machine with a GPU and a torch that was built for it."
        raise DeviceError("prediction.device", "cuda, and no GPU that torch can use", "cpu", remedy)
    on_gpu = (
        available
        and prediction.engine not in CPU_ENGINES
        and all(training.accelerator != "cpu" for training in trainings)
    )
    return torch.device(prediction.device or ("cuda" if on_gpu else "cpu"))


def threads_of(prediction: PredictionSpec, trainings: Sequence[TrainingSpec]) -> int:
    """Return the number of torch's threads: the stated one, else the trainings' most; at most the machine's cores."""
    if prediction.threads:
        return usable_threads(prediction.threads, "the prediction is to compute")
    return usable_threads(max(training.threads for training in trainings), "the run computes")


def usable_threads(threads: int, subject: str) -> int:
    """Return a number of threads, at most the machine's cores; warn where that is fewer."""
    cores = os.cpu_count() or 1
    if threads > cores:
        log.warning(
            "%s with %d threads, and this machine has %d cores: maps may differ from those of another machine by "
            "rounding",
            *(subject, threads, cores),
        )
    return min(threads, cores)
