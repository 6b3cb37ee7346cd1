"""Messages between a probe and the processes whose trainings it times."""

from mtlaerial.config import Section
from mtlaerial.probe.timing import Span, Timing
from mtlaerial.training.job import TrainingJob

READY = "ready"
"""Line of a process that has built its network and warmed up."""


class Request(Section):
    """A training to time."""

    job: TrainingJob
    span: Span


class Answer(Section):
    """The times, or the reason why there are none."""

    timing: Timing | None = None
    failed: str = ""
