"""Means over samples, the outputs of a window by passes, views and networks; of values the variance too."""

import torch
from torch import Tensor


class SampleMeans:
    """Streamed mean of a task's channels over samples, and the variance of values over them.

    Values with a spread have two channels: themselves, and their variance within the sample. By the law of total
    variance, Var(h) = E[Var(h | sample)] + Var(E[h | sample]), so that the result is such a pair too, and networks are
    joined as the samples of one of them.

    Parameters
    ----------
    between : bool
        Add the variance of the values between the samples to the mean of that within them.
    """

    def __init__(self, between: bool = False) -> None:
        self._between, self._number = between, 0
        self._total = self._squares = torch.zeros(())

    def add(self, sample: Tensor) -> None:
        """Add a sample, shape (windows, channels, rows, columns), of values with their variance as second channel."""
        self._number += 1
        if self._number == 1:
            self._total = sample
            return
        before, self._total = self._total, self._total + sample
        if self._between:
            # Welford 1962, Technometrics 4(3): the difference of the mean square and the squared mean would cancel.
            values = sample[:, :1]
            from_mean_before = values - before[:, :1] / (self._number - 1)
            self._squares = self._squares + from_mean_before * (values - self._total[:, :1] / self._number)

    def mean(self) -> Tensor:
        """Return the mean of each channel; the variance divides by the number of samples, as numpy's does."""
        if self._number == 1:
            return self._total
        mean = self._total / self._number
        if self._between:
            mean[:, 1:] += self._squares / self._number
        return mean
