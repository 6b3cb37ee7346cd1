"""Gradients of equal length at the features."""

from torch import Tensor

from mtlaerial.weighting.gradients import GradientWeighting


class FeatureNormalisation(GradientWeighting):
    """Each task's gradient with respect to the features is brought to the mean of their L2 norms; then they are added.

    The strategy that Carvalho et al. 2019, arXiv 1911.07543, bring besides the known ones ("alexnorm" in their code).
    One backward pass of the trunk; no state.
    """

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the mean norm over each task's own."""
        norms = gramian.diagonal().sqrt()
        return norms.mean() / norms
