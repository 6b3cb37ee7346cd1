"""Error of heights, masked to the cells that have one."""

import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from mtlaerial.config import TrainingSpec
from mtlaerial.config.height_head import head_name
from mtlaerial.errors import ConfigError
from mtlaerial.models.height_heads import BinsHead, GaussianHead, LaplaceHead, build_height_head
from mtlaerial.sampling import Batch
from mtlaerial.tiles.statistics import HEIGHT_EDGES
from mtlaerial.training.loss_terms.gaussian import gaussian_likelihood
from mtlaerial.training.loss_terms.height_gradient import gradient_errors, pairs_with_heights
from mtlaerial.training.loss_terms.laplace import laplace_likelihood
from mtlaerial.training.loss_terms.soft_labels import soft_label_divergence
from mtlaerial.training.task_loss import LossSettings, TaskLoss


class HeightError(TaskLoss):
    """Error over the pixels that are trained on, on the scale of ``training.height_head``.

    With ``training.height_gradient`` the error of differences between pixels is a second term. Other packages override
    :meth:`error`, which the heads linear and log1p use.
    """

    weights: Tensor | None
    edges: Tensor

    def __init__(self, settings: LossSettings) -> None:
        super().__init__()
        training = settings.training
        self._require_error_used(training)
        self.head = build_height_head(training)
        self.kind = training.height_loss
        self.unit = training.height_unit
        self.over_all = training.height_mean == "all"
        self.gradient = training.height_gradient
        self.zero_height = settings.zero_height
        self.register_buffer("weights", settings.height_weights, persistent=False)
        self.register_buffer("edges", torch.tensor(HEIGHT_EDGES), persistent=False)

    def error(self, predicted: Tensor, true: Tensor) -> Tensor:
        """Return the error of each pixel, in the shape of the arguments."""
        if self.kind == "huber":
            return smooth_l1_loss(predicted, true, reduction="none")
        return (predicted - true).abs()

    def truth(self, batch: Batch) -> Tensor:
        """Return the true values of each pixel in metres, NaN where not known."""
        return batch.height

    def total(self, output: Tensor, batch: Batch) -> Tensor:
        """Return the sum of the errors over the pixels that are trained on, and that over pairs of pixels if asked."""
        heights = self.truth(batch)
        valid = self._valid(heights)
        # Invalid heights are replaced before the loss: NaN times 0 would still be NaN in the gradient.
        true = torch.where(valid, heights, 0) / self.unit
        errors = (self._errors(output, true) * self._pixel_weights(heights, valid)).sum()
        if not self.gradient:
            return errors
        difference = self.head.estimate(output) - self.head.on_scale(true)
        return torch.stack([errors, self.gradient * gradient_errors(difference, valid)])

    def amount(self, batch: Batch) -> Tensor:
        """Return the number of the pixels that are averaged over, or their weight, and that of pairs if asked."""
        heights = self.truth(batch)
        valid = self._valid(heights)
        weights = self._pixel_weights(heights, valid)
        # Without a height, a pixel that counts has the weight of the most frequent heights.
        pixels = torch.where(valid, weights, 1).sum() if self.over_all else weights.sum()
        return torch.stack([pixels.float(), pairs_with_heights(valid).float()]) if self.gradient else pixels

    def _errors(self, output: Tensor, true: Tensor) -> Tensor:
        if isinstance(self.head, BinsHead):
            return soft_label_divergence(self.head, output, true)
        if isinstance(self.head, LaplaceHead):
            return laplace_likelihood(self.head, output, true)
        if isinstance(self.head, GaussianHead):
            return gaussian_likelihood(self.head, output, true)
        return self.error(self.head.estimate(output), self.head.on_scale(true))

    def _pixel_weights(self, height: Tensor, valid: Tensor) -> Tensor:
        """Return the weight of each pixel, 0 for those that are not trained on."""
        if self.weights is None:
            return valid
        return self.weights[torch.bucketize(torch.where(valid, height, 0), self.edges)] * valid

    def _valid(self, height: Tensor) -> Tensor:
        return torch.isfinite(height) if self.zero_height else height > 0

    def _require_error_used(self, training: TrainingSpec) -> None:
        """Refuse a head whose likelihood would replace the error of another package."""
        if training.height_loss == "likelihood" and type(self).error is not HeightError.error:
            observed = f"{head_name(training.height_head)} for {type(self).__name__}, which has an error of its own"
            expected = "linear or log1p, whose estimate it compares with the height"
            raise ConfigError("training.height_head", observed, expected, "Choose one of them for this method.")
