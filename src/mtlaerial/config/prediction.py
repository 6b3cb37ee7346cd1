"""The section ``prediction``."""

from typing import Literal, Self

from pydantic import model_validator

from mtlaerial.config.base import Section
from mtlaerial.config.faults import Unfit
from mtlaerial.config.numbers import Batch, Multiple, Passes, Pixels

Blend = Literal["original", "even"]


class PredictionSpec(Section):
    """Prediction of maps from overlapping windows."""

    blend: Blend = "original"
    """original: the original's square windows, one every stride and a last one at the end, weighted by a Gaussian.
    even: as few windows of equal size as cover the image; each fades into the next across their overlap."""
    window: Multiple = 1024
    """Side of a window in image pixels; for even windows its upper limit."""
    stride: Pixels = 256
    """Distance between windows in image pixels; for even windows its upper limit, so that they overlap by at least
    window - stride."""
    activation: Literal["softmax", "sigmoid"] = "sigmoid"
    """Activation of semantic logits before blending; the original's: sigmoid."""
    batch: Batch = 1
    views: Literal[1, 8] = 1
    """8: average over the window and its mirrored and turned copies, at eight times the cost."""
    dropout_passes: Passes = 0
    """Passes of Monte-Carlo dropout: the height is their mean, ``height_std`` their standard deviation; 0 for one pass
    without dropout."""
    image_maps: bool = False
    """Also write maps on the image's grid, besides those on the grid of the ground truth, which are scored."""

    @classmethod
    def fitted(cls) -> Self:
        """Return the cheapest settings: few windows fitted to the image, with the smallest sufficient overlap.

        96 pixels are enough for the original's network, as measured in docs/benchmarks.md.
        """
        return cls(blend="even", window=1280, stride=1280 - 96, activation="softmax")

    @model_validator(mode="after")
    def _passes_that_differ(self) -> Self:
        if self.dropout_passes == 1:
            raise Unfit("dropout_passes", "1", "at least 2, which have a deviation, or 0", "Correct the value.")
        return self
