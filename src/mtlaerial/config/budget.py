"""The section ``training.budget``."""

from typing import Annotated

from pydantic import Field

from mtlaerial.config.base import Section
from mtlaerial.config.names import PlainPath
from mtlaerial.config.numbers import Threads

Minutes = Annotated[float, Field(gt=0.0, le=1e8)]


class BudgetSpec(Section):
    """Budget of a training in minutes; its number of updates follows, once, from this and from a measured rate."""

    minutes: Minutes
    """Core-minutes: minutes of the updates times ``threads``; on a GPU minutes of the GPU. Reading the tiles,
    validation and prediction are not counted."""
    side_by_side: Threads = 1
    """Trainings at work at once while the rate is measured, each with ``threads`` of its own: as many as are going to
    be at work at once in earnest."""
    rate: PlainPath | None = None
    """File of a rate that was measured before, here or on another machine; by default the rate is measured."""
