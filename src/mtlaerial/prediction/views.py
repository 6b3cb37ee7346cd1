"""Views of a window: mirrored, turned and resampled copies that a prediction is the mean over."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from mtlaerial.config.prediction import SCALES
from mtlaerial.config.prediction import View as Name

Size = tuple[int, int]
"""Rows and columns."""


class View(NamedTuple):
    """A copy of a window: mirrored or not, then turned by quarters, then resampled by a factor."""

    quarters: int = 0
    mirrored: bool = False
    scale: float = 1.0

    def of(self, window: Tensor, multiple: int) -> Tensor:
        """Return the copy of windows (batch, bands, rows, columns); its sides are multiples of ``multiple``."""
        turned = torch.rot90(window.flip(-1) if self.mirrored else window, self.quarters, (-2, -1))
        if self.scale == 1:
            return turned
        rows, columns = self._scaled(*turned.shape[-2:])
        # Mirrored image fills the ends, as at the raster's; it is never as long as the image, which has 0.8 multiples.
        # Both ends alike: the surroundings of a network with a context lie around the centre of its image.
        margins = (*_margins(columns, multiple), *_margins(rows, multiple))
        return pad(_resampled(turned, (rows, columns)), margins, mode="reflect")

    def back(self, output: Tensor, window: Tensor, multiple: int) -> Tensor:
        """Return outputs of the copy of a window, (batch, channels, rows, columns), at the window's pixels.

        They are resampled as values: a height stays the same number of metres at every scale, as in training, where
        ``zoom`` resamples image and heights and multiplies neither.
        """
        rows, columns = window.shape[-2:]
        if self.quarters % 2:
            rows, columns = columns, rows
        if self.scale != 1:
            scaled_rows, scaled_columns = self._scaled(rows, columns)
            top, left = (_margins(size, multiple)[0] for size in (scaled_rows, scaled_columns))
            inner = output[..., top : top + scaled_rows, left : left + scaled_columns]
            output = _resampled(inner, (rows, columns))
        straight = torch.rot90(output, -self.quarters, (-2, -1))
        return straight.flip(-1) if self.mirrored else straight

    def _scaled(self, rows: int, columns: int) -> Size:
        return round(self.scale * rows), round(self.scale * columns)


def views_of(names: Sequence[Name]) -> list[View]:
    """Return all combinations of the named views, the window itself first.

    Examples
    --------
    >>> [len(views_of(names)) for names in ([], ["mirror"], ["mirror", "turns"], ["mirror", "turns", "scales"])]
    [1, 2, 8, 24]
    """
    mirrored = (False, True) if "mirror" in names else (False,)
    quarters = range(4) if "turns" in names else range(1)
    scales = SCALES if "scales" in names else (1.0,)
    return [View(turn, mirror, scale) for scale in scales for mirror in mirrored for turn in quarters]


def _resampled(image: Tensor, size: Size) -> Tensor:
    """Return an image resampled to a size, from edge to edge.

    Without a filter against aliasing, as the zoom of training has none; and it would move slopes by a tenth of a pixel.
    """
    return interpolate(image, size, mode="bilinear", align_corners=False)


def _margins(size: int, multiple: int) -> Size:
    """Return the pixels before and after a size that fill it up to the next multiple."""
    missing = -size % multiple
    return missing // 2, missing - missing // 2
