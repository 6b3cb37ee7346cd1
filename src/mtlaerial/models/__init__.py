"""Networks: a trunk shared by all tasks, and a head for each task."""

from collections.abc import Mapping

from mtlaerial.config import ModelSpec, Task
from mtlaerial.models.d3net import D3Net

__all__ = ["D3Net", "build_model"]


def build_model(spec: ModelSpec, bands: int, outputs: Mapping[Task, int]) -> D3Net:
    """Build the network of a specification; see :class:`D3Net` for the parameters."""
    return D3Net(spec, bands, outputs)
