"""Values of maps, made of blended channels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtlaerial.config import IGNORED
from mtlaerial.config.task_entry import Shows
from mtlaerial.prediction.class_shares import class_shares, entropy_bits


def class_codes(scores: Tensor) -> NDArray[np.uint8]:
    """Return the class of the highest score, ``IGNORED`` where scores are NaN, from (classes, rows, columns)."""
    best = scores.amax(dim=0)  # NaN where any score is NaN, and NaN equals nothing
    # Class by class, as argmax over the first axis takes six times as long on the CPU. Backwards, so that of equal
    # scores the first class wins.
    codes = torch.full(best.shape, IGNORED, dtype=torch.uint8, device=best.device)
    for code in reversed(range(len(scores))):
        codes.masked_fill_(scores[code] == best, code)
    return codes.cpu().numpy()


def values(channel: Tensor) -> NDArray[np.float32]:
    """Return a copy of the values of a single channel, from (1, rows, columns)."""
    return channel.sum(dim=0).cpu().numpy()


def deviation(variance: Tensor) -> NDArray[np.float32]:
    """Return the standard deviation, from a variance, (1, rows, columns)."""
    return values(variance.clamp(min=0).sqrt())


def probabilities(scores: Tensor) -> NDArray[np.float32]:
    """Return scores divided by their sum, (classes, rows, columns)."""
    return class_shares(scores, axis=0).cpu().numpy()


def entropy(scores: Tensor) -> NDArray[np.float32]:
    """Return the entropy in bits of the probabilities, from (classes, rows, columns)."""
    return values(entropy_bits(class_shares(scores, axis=0), axis=0))


def mutual_information(channel: Tensor) -> NDArray[np.float32]:
    """Return mutual information in bits, from (1, rows, columns); rounding below 0 is 0."""
    return values(channel.clamp(min=0))


MAKERS: dict[Shows, Callable[[Tensor], NDArray[Any]]] = {
    "classes": class_codes,
    "mean": values,
    "deviation": deviation,
    "probabilities": probabilities,
    "entropy": entropy,
    "mutual_information": mutual_information,
}
"""From blended values, (channels, rows, columns), to those of a map, (rows, columns) or (bands, rows, columns)."""
