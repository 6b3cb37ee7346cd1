"""Height heads: the meaning of a height output's channels, a file each."""

from collections.abc import Callable

from mtlaerial.config import TrainingSpec
from mtlaerial.config.height_head import BinsSpec, HeightOfBins, PlainHead
from mtlaerial.models.height_heads.bins import BinsHead
from mtlaerial.models.height_heads.gaussian import GaussianHead
from mtlaerial.models.height_heads.head import HeadWithScale, HeightHead
from mtlaerial.models.height_heads.laplace import LaplaceHead
from mtlaerial.models.height_heads.linear import LinearHead
from mtlaerial.models.height_heads.logarithm import LogarithmHead

__all__ = [
    "BinsHead",
    "GaussianHead",
    "HeadWithScale",
    "HeightHead",
    "LaplaceHead",
    "LinearHead",
    "LogarithmHead",
    "build_height_head",
]
_PLAIN: dict[PlainHead, Callable[[float, bool], HeightHead]] = {
    "linear": LinearHead,
    "log1p": LogarithmHead,
    "laplace": LaplaceHead,
    "gaussian": GaussianHead,
}


def build_height_head(training: TrainingSpec, height_of_bins: HeightOfBins = "expectation") -> HeightHead:
    """Return the height head of a training, whose maps show some height of bins.

    Examples
    --------
    >>> import torch
    >>> head = build_height_head(TrainingSpec(height_head="log1p", height_unit=5))
    >>> (5 * head.values(torch.full((1, 1, 1, 1), 0.6931472))).item()
    5.0
    """
    spec, unit = training.height_head, training.height_unit
    if isinstance(spec, BinsSpec):
        return BinsHead(spec, unit, height_of_bins)
    return _PLAIN[spec](unit, training.height_non_negative)
