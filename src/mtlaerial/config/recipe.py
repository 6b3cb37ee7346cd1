"""The sections ``training``, ``prediction`` and ``scoring``."""

import math
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from mtlaerial.config.base import Section, renamed_value
from mtlaerial.config.faults import Unfit
from mtlaerial.config.names import require_once
from mtlaerial.config.numbers import (
    Batch,
    Count,
    Fraction,
    Metres,
    Multiple,
    Passes,
    Pixels,
    Threads,
    Weight,
)

Blend = Literal["original", "even"]


class Augmentation(Section):
    """Random changes of each training patch."""

    flip: bool = True
    """Mirror rows and columns, each with probability 1/2."""
    quarter_turns: bool = False
    """Turn by 0, 90, 180 or 270 degrees."""
    rotation: NonNegativeFloat = 5 / 3
    """Standard deviation of a rotation in degrees (cut at 3 standard deviations); 0 for none."""
    zoom: Fraction = 0.0
    """Scale by a factor whose logarithm is uniform in ±log(1 + zoom); 0 for none."""
    colour: Fraction = 0.0
    """Contrast and brightness change by up to this share of the value range, each band a quarter of it apart."""
    image_resampling: Literal["nearest", "bilinear"] = "nearest"
    """Resampling of the image when a patch is rotated or zoomed."""


class TrainingSpec(Section):
    """Hyperparameters and device settings of a training."""

    patch: Multiple = 320
    """Side of a square training patch in image pixels."""
    batch: Batch = 6
    """Patches per update, over all processes."""
    accumulate: Batch = 1
    """Passes (micro-batches) per batch, one after the other: memory for time. Losses and weights are those of the whole
    batch; only batch normalisation sees one pass at a time."""
    epochs: Count = 120
    epoch_patches: Count = 10_000
    """Patches per epoch."""
    learning_rate: PositiveFloat = 2e-4
    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    weight_decay: NonNegativeFloat = 0.0
    """Decoupled (AdamW); at 0 the optimiser is Adam."""
    clip_norm: PositiveFloat | None = None
    """Largest L2 norm of the gradient of the network; a longer one is shortened to it."""
    schedule: Annotated[Literal["constant", "warmup_cosine"], renamed_value("one_cycle", "warmup_cosine")] = "constant"
    """warmup_cosine: rises over the first tenth to learning_rate, then falls to 0 as a cosine."""
    sampling: Literal["uniform", "class_balanced"] = "uniform"
    """Position of patches: uniform over the area of the training tiles, or about a pixel of a class; then each class
    that occurs has the same probability, and so has each of its pixels."""
    augmentation: Augmentation = Augmentation()
    class_weights: Literal["median_frequency", "none"] | dict[str, Weight] = "median_frequency"
    """Weights of the classes in the cross entropy: a rule, or a weight of each class by name. A class of weight 0 is
    never trained: its pixels give no loss of semantics, and ``class_balanced`` does not choose them."""
    height_loss: Literal["l1", "huber"] = "l1"
    """huber: quadratic below one height_unit."""
    height_mean: Literal["known", "all"] = "known"
    """Pixels of a batch that the height loss is averaged over: those with a height, or all, with no error at the
    others; then batches with few heights weigh less."""
    height_unit: Metres = 1.0
    """Metres per unit of the network's height output; the loss is measured in this unit."""
    selection: Literal["best", "last"] = "last"
    """Weights of a run: those of the best validation, or the last."""
    validate_every: Count = 1
    """Epochs between validations, where there are validation tiles."""
    log_every: Count = 50
    """Updates between rows of history.csv, besides the one at each epoch's end."""
    compile: bool = False
    """Compile trunk and heads with torch.compile: a minute or more at the start, faster updates on some devices."""
    checkpointing: bool = False
    """Compute batch norms and concatenations again in the backward pass instead of keeping them for it: two fifths
    less memory, up to a third more time, and gradients that are the same."""
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    channels_last: bool = True
    """Keep a pixel's channels side by side in memory while training: faster on GPUs and on processors with AVX-512,
    slower on those with AVX2 alone; part of the result, by rounding."""
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    threads: Threads = 2
    """Torch's threads on the CPU; part of the result, since sums depend on their order."""
    memory_budget_mb: Annotated[int, Field(ge=0, le=1_000_000_000)] = 4096
    """Tiles up to this many megabytes live on the device; more are memory-mapped from disk."""

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps in an epoch."""
        return math.ceil(self.epoch_patches / self.batch)

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole training."""
        return self.epochs * self.steps_per_epoch

    @model_validator(mode="after")
    def _passes_of_equal_size(self) -> Self:
        if self.batch % self.accumulate:
            raise Unfit("batch", str(self.batch), f"a multiple of accumulate ({self.accumulate})")
        return self

    @model_validator(mode="after")
    def _one_recomputation(self) -> Self:
        if self.compile and self.checkpointing:
            expected = "one of them at most, as compiled code decides for itself what it computes again"
            raise Unfit("compile and checkpointing", "both true", expected)
        return self


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


class ScoringSpec(Section):
    """Options of the scores."""

    RENAMED: ClassVar = {"height_unit": "error_unit"}

    height_bins: Annotated[tuple[float, ...], Field(min_length=1)] = (2.0, 5.0, 10.0, 20.0, 40.0)
    """Inner edges in metres of the height bins that errors are broken down by."""
    error_unit: Metres | None = None
    """Metres per unit of a second set of height errors in the tables, for comparison with scaled heights."""
    without_classes: tuple[str, ...] | None = None
    """Classes that a second set of semantic scores leaves out: pixels whose truth they are are ignored, and the means
    are over the other classes. By default those that ``training.class_weights`` never trains; [] for no second set."""

    @model_validator(mode="after")
    def _each_class_once(self) -> Self:
        require_once("without_classes", self.without_classes or ())
        return self

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if list(self.height_bins) != sorted(set(self.height_bins)):
            edges = str(list(self.height_bins))
            raise Unfit("height_bins", edges, "ascending edges in metres, each once", "Sort them.")
        return self
