"""Radiometric augmentation: random changes of the image's values, in the order in which a camera makes them."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mtlaerial.config import Augmentation
from mtlaerial.rasters.validity import fill_value
from mtlaerial.sampling.colour import change_colours, change_gamma, change_saturation
from mtlaerial.sampling.sharpness import add_noise, blur
from mtlaerial.tiles.tile import Tile

_TOLERANCE = 0.01
"""Distance of an interpolated integer from the fill value at which it still is that, by rounding."""


class Radiometry:
    """Blurs patches, changes their gamma, saturation, contrast and brightness, and adds noise.

    Pixels without image keep the fill value, which is what a prediction sees there.

    Parameters
    ----------
    options : Augmentation
    fill : float, optional
        Value of pixels without image in all bands, in the file's values, NaN for floats; None where there are none.
    """

    def __init__(self, options: Augmentation, fill: float | None = None) -> None:
        self.options, self.fill = options, fill

    def __call__(
        self,
        image: Tensor,
        raw: Tensor,
        generator: torch.Generator,
        batch: int,
        share: slice,
        unknown: Tensor | None = None,
        scale: int = 1,
    ) -> Tensor:
        """Change the values of patches.

        Parameters
        ----------
        image : Tensor, shape (patches, bands, rows, columns), in [-1, 1]
        raw : Tensor, of the same shape
            The same patches in the file's values.
        generator : torch.Generator
            On the CPU. It draws for the whole batch, so that each process draws the same numbers and takes its share.
        batch : int
            Patches of the whole batch.
        share : slice
            The image's patches among those of the batch.
        unknown : Tensor, shape (patches, 1, rows, columns), bool, optional
            Further pixels without image, such as those beyond the tile.
        scale : int
            Image pixels along a side of these pixels, which are their means: strengths are those of image pixels, and
            a mean over ``scale``² of them has a ``scale``-th of their noise.
        """
        options = self.options
        if not options.changes_values:
            return image
        invalid = unknown if self.fill is None else pixels_of(self.fill, raw)
        if invalid is not None and unknown is not None:
            invalid = invalid | unknown
        changed = blur(image, options.blur / scale, generator, batch, share, invalid)
        changed = change_gamma(changed, options.gamma, generator, batch, share)
        changed = change_saturation(changed, options.saturation, generator, batch, share)
        changed = change_colours(changed, options.colour, generator, batch, share)
        changed = add_noise(changed, options.noise / scale, generator, batch, share, field=scale - 1)
        return changed if invalid is None else torch.where(invalid, image, changed)


def fill_of(tiles: Sequence[Tile], value_range: tuple[float, float]) -> float | None:
    """Return the value of pixels without image in some tiles, in the file's values; None where there are none."""
    if not any(tile.filled for tile in tiles):
        return None
    return fill_value(str(tiles[0].image.dtype).removeprefix("torch."), value_range)


def pixels_of(fill: float, raw: Tensor) -> Tensor:
    """Return the pixels whose bands all have the fill value, shape (patches, 1, rows, columns)."""
    if math.isnan(fill):
        return raw.isnan().all(dim=1, keepdim=True)
    return ((raw.float() - fill).abs() < _TOLERANCE).all(dim=1, keepdim=True)
