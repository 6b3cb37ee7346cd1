"""Normalisation of image values for the network."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Normalisation:
    """Brings image values from the data set's range to [-1, 1], as the network sees them."""

    lowest: float
    highest: float

    def __call__(self, image: Tensor) -> Tensor:
        """Normalise an image of any shape; returns float32. NaN, where there is no data, becomes 0."""
        normal = (image.float() - self.lowest) * (2 / (self.highest - self.lowest)) - 1
        return normal.nan_to_num(0) if image.is_floating_point() else normal
