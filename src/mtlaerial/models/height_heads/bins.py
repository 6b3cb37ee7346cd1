"""Head of a channel per bin of heights: scores whose softmax is a distribution over the bins' centres.

Bins that grow with the height: Fu et al., "Deep Ordinal Regression Network for Monocular Depth Estimation", CVPR 2018,
arXiv 1806.02446. Soft labels that fall off with the distance from the true bin: Díaz & Marathe, "Soft Labels for
Ordinal Regression", CVPR 2019; theirs fall as the exponential of the distance, and their mean is not the true value.
"""

import math

import torch
from torch import Tensor

from mtlaerial.config.height_head import BinsSpec, HeightOfBins
from mtlaerial.models.height_heads.head import HeightHead

TINY = 1e-12
"""Least divisor of a share of probability."""


class BinsHead(HeightHead):
    """Scores of the bins, whose centres reach from 0 to ``BinsSpec.largest``.

    Heights are never negative. Heights beyond the first and the last centre are taken as these.

    Parameters
    ----------
    spec : BinsSpec
    unit : float
        Metres per unit of the heights.
    shown : HeightOfBins
        The height that :meth:`values` returns.
    """

    centres: Tensor
    spreads: Tensor

    def __init__(self, spec: BinsSpec, unit: float, shown: HeightOfBins = "expectation") -> None:
        super().__init__(unit)
        self.shown = shown
        centres = bin_centres(spec)
        self.register_buffer("centres", (centres / unit).float(), persistent=False)
        self.register_buffer("spreads", spread_labels(centres, spec.softness).float(), persistent=False)

    def estimate(self, output: Tensor) -> Tensor:
        """Return the expectation in units, which has a gradient for all scores."""
        return (output.softmax(dim=1) * self.centres[:, None, None]).sum(dim=1)

    def on_scale(self, heights: Tensor) -> Tensor:
        """Return heights in units, limited to the centres."""
        return heights.clamp(min=0).minimum(self.centres[-1])

    def values(self, output: Tensor) -> Tensor:
        """Return expectation or median in units."""
        return self._median(output).unsqueeze(1) if self.shown == "median" else super().values(output)

    def soft_labels(self, heights: Tensor) -> Tensor:
        """Return the distributions that stand for some heights; the expectation of each is the height.

        The height is shared among the two centres beside it, and each share spread over the bins about its centre.

        Parameters
        ----------
        heights : Tensor, shape (patches, rows, columns)
            In units, finite.

        Returns
        -------
        Tensor, shape (patches, bins, rows, columns)
        """
        limited = self.on_scale(heights).contiguous()
        upper = torch.searchsorted(self.centres, limited, right=True).clamp(1, len(self.centres) - 1)
        below, above = self.centres[upper - 1], self.centres[upper]
        share = ((limited - below) / (above - below)).unsqueeze(-1)
        return torch.lerp(self.spreads[upper - 1], self.spreads[upper], share).movedim(-1, 1)

    def _median(self, output: Tensor) -> Tensor:
        """Return the median, interpolated between centres.

        F, the probability below a centre plus half of its own, is 1/2 at a centre that has all of it.
        """
        probabilities = output.softmax(dim=1)
        ones = torch.ones(len(self.centres), len(self.centres), device=output.device)
        # A product by a triangular matrix, as torch's cumulative sum on a GPU is not in a fixed order.
        cumulated = torch.einsum(
            "kl,blrc->bkrc", ones.tril() - 0.5 * torch.eye(len(ones), device=ones.device), probabilities
        )
        steps = cumulated.diff(dim=1).clamp(min=TINY)
        shares = ((0.5 - cumulated[:, :-1]) / steps).clamp(0, 1)
        return (shares * self.centres.diff()[:, None, None]).sum(dim=1)


def bin_centres(spec: BinsSpec) -> Tensor:
    """Return the ascending centres of the bins in metres, shape (count,), float64.

    Examples
    --------
    >>> bin_centres(BinsSpec(count=3, largest=8, spacing="log")).round().tolist()
    [0.0, 2.0, 8.0]
    """
    share = torch.linspace(0, 1, spec.count, dtype=torch.float64)
    linear, log = share * spec.largest, torch.expm1(share * math.log1p(spec.largest))
    return {"linear": linear, "log": log, "mixed": (linear + log) / 2}[spec.spacing]


def spread_labels(centres: Tensor, softness: float) -> Tensor:
    """Return a distribution per bin, spread about its centre, whose expectation is the centre.

    A random walk from bin to neighbour: each step leaves an inner bin to either side with the probabilities that keep
    the expectation, and never leaves the first and the last one.

    Parameters
    ----------
    centres : Tensor, shape (bins,), float64
    softness : float
        Standard deviation in bins, far from both ends and for centres at equal distances.

    Returns
    -------
    Tensor, shape (bins, bins), float64
        A row per bin.
    """
    stay = torch.eye(len(centres), dtype=torch.float64)
    step = stay.clone()
    gaps = centres.diff()
    inner = torch.arange(1, len(centres) - 1)
    step[inner, inner] = 0
    step[inner, inner - 1] = gaps[1:] / (gaps[1:] + gaps[:-1])
    step[inner, inner + 1] = gaps[:-1] / (gaps[1:] + gaps[:-1])
    # Steps that are taken with a probability of at most 1/2, else only every other bin would be reached.
    steps = max(1, math.ceil(2 * softness**2))
    spread: Tensor = torch.linalg.matrix_power(torch.lerp(stay, step, softness**2 / steps), steps)
    return spread
