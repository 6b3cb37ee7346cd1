"""The section ``training``."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from mtlaerial.config.augmentation import Augmentation
from mtlaerial.config.base import Section, is_empty, is_none, renamed_value
from mtlaerial.config.budget import BudgetSpec
from mtlaerial.config.faults import Unfit
from mtlaerial.config.height_head import HeightHead, require_loss_of_head
from mtlaerial.config.labelled import Percent, TruthPatches, require_one_share
from mtlaerial.config.numbers import (
    Batch,
    Count,
    Fraction,
    Metres,
    Multiple,
    Pixels,
    PositiveWeight,
    Seed,
    Threads,
    Weight,
)
from mtlaerial.config.precision import Precision
from mtlaerial.config.semantic_loss import OnlyHeightLoss, SemanticLoss, require_semantic_loss
from mtlaerial.config.tasks import Task


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
    """Number of epochs, each of ``epoch_patches`` patches."""
    epoch_patches: Count = 10_000
    """Patches per epoch."""
    budget: BudgetSpec | None = Field(default=None, exclude_if=is_none)
    """Minutes instead of ``epoch_patches``, which is then as large as they allow; ``epochs`` stays."""
    learning_rate: PositiveFloat = 2e-4
    """Largest learning rate of Adam."""
    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Decay rates of Adam's moments."""
    weight_decay: NonNegativeFloat = 0.0
    """Decoupled (AdamW); at 0 the optimiser is Adam."""
    clip_norm: PositiveFloat | None = None
    """Largest L2 norm of the gradient of the network; a longer one is shortened to it."""
    schedule: Annotated[Literal["constant", "warmup_cosine"], renamed_value("one_cycle", "warmup_cosine")] = "constant"
    """warmup_cosine: rises linearly over the warm-up to learning_rate, then falls to 0 as a cosine."""
    warmup: Fraction = 0.1
    """Share of the updates over which warmup_cosine rises."""
    ema: Fraction = 0.0
    """Decay, per update, of an exponential moving average of the network's weights and batch-norm statistics, which is
    validated and saved in place of the network; 0 for none. Its span is about 1 / (1 - ema) updates."""
    sampling: Literal["uniform", "class_balanced"] = "uniform"
    """Position of patches: uniform over the area of the training tiles, or about a pixel of a class; then each class
    that occurs has the same probability, and so has each of its pixels."""
    truth_patches: TruthPatches = Field(default=0, exclude_if=is_empty)
    """Patches of each batch that are drawn where a task has truth, for each of its tasks; the others are drawn where
    the task with the most truth has some. equal: the batch, divided by the tasks. 0: anywhere, with truth or not."""
    labelled: dict[Task, Percent] = Field(default={}, exclude_if=is_empty)
    """Percent of the training area with truth of a task that is used, by task; all where none is named. Tasks that
    learn from the same layer share it. The truth elsewhere is treated as absent. Smaller shares lie within larger
    ones."""
    labelled_block: Pixels | None = Field(default=None, exclude_if=is_none)
    """Side, in image pixels, of the blocks that ``labelled`` chooses; by default that of a patch."""
    labelled_seed: Seed | None = Field(default=None, exclude_if=is_none)
    """Seed of the order in which ``labelled`` takes blocks; by default the training's, so that the seeds of a
    comparison differ in their labelled area too."""
    augmentation: Augmentation = Augmentation()
    class_weights: Literal["median_frequency", "none"] | dict[str, Weight] = "median_frequency"
    """Weights of the classes in the cross entropy and the focal loss: a rule, or a weight of each class by name. A
    class of weight 0 is never trained: its pixels give no loss of semantics, and ``class_balanced`` does not choose
    them."""
    semantic_loss: SemanticLoss = "cross_entropy"
    """Loss of semantics: cross_entropy, focal, dice or lovasz, or a section with weights of several."""
    label_smoothing: Fraction = 0.0
    """Share of each label that the cross entropy spreads over all classes."""
    height_head: HeightHead = "linear"
    """Meaning of the height output: linear, the height; log1p, its logarithm; bins, a probability for each of some
    heights; laplace, median and scale of a distribution; gaussian, mean and variance of one."""
    height_non_negative: bool = False
    """Map the height output to positive values by a softplus; no effect on bins, which are never negative."""
    height_loss: OnlyHeightLoss = "l1"
    """l1, or huber, quadratic below 1, for the heads linear and log1p; likelihood, for the heads bins, laplace and
    gaussian."""
    height_gradient: Weight = 0.0
    """Weight of a further loss of heights: errors of the differences between pixels 1, 2, 4 and 8 pixels apart."""
    height_balance: Literal["none", "by_height"] = "none"
    """by_height: heights count by the inverse frequency of their bin in the training tiles, at most tenfold."""
    height_mean: Literal["known", "all"] = "known"
    """Pixels of a batch that the height loss is averaged over: those with a height, or all, with no error at the
    others; then batches with few heights weigh less."""
    height_unit: Metres = 1.0
    """Metres per unit of the network's height output; the loss is measured in this unit."""
    selection: Literal["best", "last"] = "last"
    """Weights of a run: those of the best validation, or the last."""
    score_weights: dict[Task, PositiveWeight] = {}
    """Weight of each task in the score of a validation, by name; 1 for a task that is not named. Only the ratios count,
    among the tasks that a method learns."""
    patience: Count | None = None
    """Validations in a row without a better score after which the training ends, counted from the last thaw of frozen
    parts; needs selection: best. The schedule of the learning rate is still that of all epochs."""
    validate_every: Count = 1
    """Epochs between validations, where there are validation tiles."""
    log_every: Count = 50
    """Updates between rows of history.csv, besides the one at each epoch's end."""
    compile: bool = False
    """Compile trunk and heads with torch.compile: a minute or more at the start, faster updates on some devices."""
    cuda_graphs: bool = Field(default=False, exclude_if=is_empty)
    """Run compiled code in CUDA graphs, whose kernels are launched at once; no effect on the CPU. Needs compile."""
    checkpointing: bool = False
    """Compute batch norms and concatenations again in the backward pass instead of keeping them for it: two fifths
    less memory, up to a third more time, and gradients that are the same."""
    precision: Precision = "32-true"
    """Floats of the forward and backward pass; weights and optimiser are in 32 bits."""
    channels_last: bool = True
    """Keep a pixel's channels side by side in memory while training: faster on GPUs and on processors with AVX-512,
    slower on those with AVX2 alone; part of the result, by rounding."""
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    """Device; auto takes a GPU where there is one."""
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

    @property
    def threads_at_once(self) -> int:
        """Threads of all trainings that are at work while a rate is measured."""
        return self.threads * (self.budget.side_by_side if self.budget else 1)

    @model_validator(mode="after")
    def _passes_of_equal_size(self) -> Self:
        if self.batch % self.accumulate:
            raise Unfit("batch", str(self.batch), f"a multiple of accumulate ({self.accumulate})")
        return self

    @model_validator(mode="after")
    def _losses_that_fit(self) -> Self:
        require_loss_of_head(self.height_head, self.height_loss)
        require_semantic_loss(self.semantic_loss, self.label_smoothing)
        return self

    @model_validator(mode="after")
    def _one_share_per_layer(self) -> Self:
        require_one_share(self.labelled)
        return self

    @model_validator(mode="after")
    def _patience_with_selection(self) -> Self:
        if self.patience and self.selection != "best":
            expected = "best beside patience, as the weights after it are no better than those before"
            remedy = "Write selection: best, or remove patience."
            raise Unfit("selection", f"{self.selection} with patience {self.patience}", expected, remedy)
        return self

    @model_validator(mode="after")
    def _graphs_of_compiled_code(self) -> Self:
        if self.cuda_graphs and not self.compile:
            raise Unfit("compile", "false beside cuda_graphs", "true, as graphs are made of compiled code")
        return self

    @model_validator(mode="after")
    def _one_recomputation(self) -> Self:
        if self.compile and self.checkpointing:
            expected = "one of them at most, as compiled code decides for itself what it computes again"
            raise Unfit("compile and checkpointing", "both true", expected)
        return self
