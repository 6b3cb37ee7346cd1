"""Gradients of equal length at the features."""

from torch import Tensor

from mtlaerial.config import Section
from mtlaerial.weighting.gradient_weighting import Level
from mtlaerial.weighting.gramian_weighting import GramianWeighting


class FeatureNormalisation(GramianWeighting):
    """Each task's gradient is brought to the mean of their L2 norms; then they are added.

    ``w_t = mean_s(||g_s||) / ||g_t||``: ``alexnorm`` in the code of Carvalho et al. 2019, arXiv 1911.07543, which
    computes it at the third decoder block and never uses the result.
    """

    paper = "Carvalho et al. 2019"

    class Options(Section):
        """Published at the features."""

        level: Level = "features"

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the mean norm over each task's own."""
        norms = gramian.diagonal().sqrt()
        return norms.mean() / norms
