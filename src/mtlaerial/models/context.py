"""Context: features of what lies around an image, in a window ``scale`` times as wide with as many pixels.

Two images of different resolution around one centre are those of DeepMedic (Kamnitsas et al. 2017, arXiv 1603.05959)
and HookNet (van Rijthoven et al. 2021, arXiv 2006.12230). Here one encoder runs on both.
"""

import torch
from torch import Tensor, nn

from mtlaerial.config.context import ContextSpec
from mtlaerial.models.decoders.fusion import FusionDecoder
from mtlaerial.models.decoders.layers import conv_norm, doubled, doublings
from mtlaerial.models.encoders.encoder import Encoder


class Context(nn.Module):
    """The branch that adds features of the surroundings to the coarsest ones of the image.

    The surroundings have the image's shape, so that they stand behind it in the channels of the network's input, and
    whatever turns, mirrors or normalises the input does so with both. An image without them is seen as a raster of its
    own: nothing is known beyond its edge.

    Parameters
    ----------
    spec : ContextSpec
    encoder : Encoder
        That of the image, which runs on the surroundings too.
    bands : int
        Bands of the image.
    """

    def __init__(self, spec: ContextSpec, encoder: Encoder, bands: int) -> None:
        super().__init__()
        self.scale, self.bands = spec.scale, bands
        # Features of the surroundings as large on the ground as the image's coarsest, and coarser ones.
        coarsest = encoder.strides[-1]
        self.finer = sum(stride * spec.scale < coarsest for stride in encoder.strides)
        channels, strides = encoder.channels[self.finer :], encoder.strides[self.finer :]
        self.fusion = FusionDecoder(channels, strides, spec.channels)
        self.steps = doublings(self.fusion.stride * spec.scale, coarsest) + 1
        self.project = conv_norm(spec.channels, encoder.channels[-1])

    def unstacked(self, image: Tensor) -> Tensor:
        """Return images, then their surroundings, along the batch.

        Parameters
        ----------
        image : Tensor, shape (batch, bands or 2 * bands, rows, columns)
        """
        if image.shape[1] == self.bands:
            return torch.cat([image, lone_surroundings(image, self.scale)])
        return torch.cat([image[:, : self.bands], image[:, self.bands :]])

    def joined(self, encoded: tuple[Tensor, ...], batch: int) -> tuple[Tensor, ...]:
        """Return the features of the images alone, the coarsest with those of the surroundings added.

        Parameters
        ----------
        encoded : tuple of Tensor, each of shape (2 * batch, channels, rows / stride, columns / stride)
            Of what :meth:`unstacked` returns.
        batch : int
            Number of images.
        """
        images = tuple(features[:batch] for features in encoded)
        around = tuple(features[batch:] for features in encoded[self.finer :])
        added = self.project(self._middle(self.fusion(around), *images[-1].shape[-2:]))
        return (*images[:-1], images[-1] + added)

    def _middle(self, features: Tensor, rows: int, columns: int) -> Tensor:
        """Return the features of the surroundings in the image's area, shape (batch, channels, rows, columns)."""
        # At half of the spacing of the image's coarsest features: the area's border, (scale - 1) / 2 of its size from
        # that of the surroundings, falls on whole features whatever the number of rows.
        fine = doubled(features, self.steps)
        top, left = rows * (self.scale - 1), columns * (self.scale - 1)
        return nn.functional.avg_pool2d(fine[..., top : top + 2 * rows, left : left + 2 * columns], 2)


def lone_surroundings(image: Tensor, scale: int) -> Tensor:
    """Return the surroundings of an image that is all that is known: itself, made smaller, within zeros for no data.

    Parameters
    ----------
    image : Tensor, shape (batch, bands, rows, columns), in [-1, 1]
        Rows and columns divisible by twice the scale.
    scale : int
    """
    below, right = image.shape[-2] // (2 * scale), image.shape[-1] // (2 * scale)
    margins = right * (scale - 1), right * (scale - 1), below * (scale - 1), below * (scale - 1)
    return nn.functional.pad(nn.functional.avg_pool2d(image, scale), margins)
