"""Normalisation of image values for the network."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Normalisation:
    """Linear map of image values from the data set's range to [-1, 1], the network's input range."""

    lowest: float
    highest: float

    def __call__(self, image: Tensor) -> Tensor:
        """Return a normalised image of any shape as float32; what is not finite is no data and becomes 0."""
        normal = (image.float() - self.lowest) * (2 / (self.highest - self.lowest)) - 1
        return normal.nan_to_num(nan=0, posinf=0, neginf=0) if image.is_floating_point() else normal
