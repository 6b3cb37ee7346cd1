"""The interface of encoders."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn


class Encoder(nn.Module, ABC):
    """Features of an image at several scales.

    Attributes
    ----------
    channels : tuple of int
        Channels of each scale, from fine to coarse.
    strides : tuple of int
        Side of a feature of each scale in image pixels, e.g. (2, 4, 8, 16, 32); ascending powers of 2 up to 32, the
        last of them at least 4.
    """

    channels: tuple[int, ...]
    strides: tuple[int, ...]

    @abstractmethod
    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the features of each scale, from fine to coarse.

        Parameters
        ----------
        image : Tensor, shape (batch, bands, rows, columns), float32 or of autocast's dtype
            Rows and columns divisible by the coarsest stride.

        Returns
        -------
        tuple of Tensor, each of shape (batch, channels, rows / stride, columns / stride)
            No layer here has dropout: Monte Carlo passes run the encoder once.
        """

    @property
    @abstractmethod
    def first_convolution(self) -> nn.Conv2d:
        """The layer that the bands of the image enter: its weights have shape (channels, bands, rows, columns)."""

    @abstractmethod
    def stages(self) -> Sequence[nn.Module]:
        """Return disjoint parts from the image to the coarsest features, for rates that fall from stage to stage.

        Together they hold every parameter of the encoder.
        """
