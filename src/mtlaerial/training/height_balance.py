"""Weights of heights by their frequency in the training tiles."""

import torch
from torch import Tensor

from mtlaerial.config import TrainingSpec
from mtlaerial.errors import ConfigError
from mtlaerial.tiles.statistics import Statistics

LARGEST = 10.0
"""Largest weight: a few cells of the tallest buildings must not be all that is learned."""


def height_weights(training: TrainingSpec, statistics: Statistics) -> Tensor | None:
    """Return the weight of each bin of heights, None where ``training.height_balance`` is none.

    The most frequent bin has the weight 1, another one the inverse of its frequency relative to that, at most
    ``LARGEST``. Heights up to 0 are a bin of their own where they are not trained on, else of that of low heights.

    Returns
    -------
    Tensor, shape (bins,), float32, or None
        By the bins between ``HEIGHT_EDGES``.

    Raises
    ------
    ConfigError
        When the statistics are of an earlier version, which measured no frequencies.
    """
    if training.height_balance == "none" or statistics.height is None:
        return None
    if not statistics.height.histogram:
        observed = f"by_height, with statistics of {statistics.dataset} from an earlier version"
        remedy = "Delete statistics.json and give the same command again, or write none."
        raise ConfigError("training.height_balance", observed, "statistics with the frequencies of heights", remedy)
    shares = torch.tensor(statistics.height.histogram, dtype=torch.float64)
    if statistics.zero_height:
        shares[:2] = shares[0] + shares[1]
    else:
        shares[0] = 0
    # Bins that are empty have the largest weight, even where all are: 0 / 0 would make every loss NaN. Resampling may
    # give a height between others.
    return torch.where(shares > 0, shares.max() / shares, LARGEST).clamp(max=LARGEST).float()
