"""The interface of height heads."""

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.nn.functional import softplus


class HeightHead(nn.Module, ABC):
    """The meaning of a height output's channels: the only place that decodes heights.

    Parameters
    ----------
    unit : float
        Metres per unit of the heights.
    non_negative : bool
        Whether outputs are mapped to positive values. By a softplus, since with a ReLU a pixel whose output is negative
        would have no gradient: heights of buildings might never be learned.
    """

    def __init__(self, unit: float, non_negative: bool = False) -> None:
        super().__init__()
        self.unit, self.non_negative = unit, non_negative

    @abstractmethod
    def estimate(self, output: Tensor) -> Tensor:
        """Return the estimate that losses compare with :meth:`on_scale` of the true heights.

        Parameters
        ----------
        output : Tensor, shape (patches, channels, rows, columns), float32

        Returns
        -------
        Tensor, shape (patches, rows, columns)
        """

    def on_scale(self, heights: Tensor) -> Tensor:
        """Return heights, in units, on the scale of the estimate."""
        return heights

    def values(self, output: Tensor) -> Tensor:
        """Return the heights in units, shape (patches, 1, rows, columns)."""
        return self.estimate(output).unsqueeze(1)

    def _bounded(self, channel: Tensor) -> Tensor:
        return softplus(channel) if self.non_negative else channel


class HeadWithScale(HeightHead):
    """A head whose output is a distribution of heights, not only an estimate."""

    @abstractmethod
    def variance(self, output: Tensor) -> Tensor:
        """Return the variance of the heights in square units, shape (patches, 1, rows, columns)."""
