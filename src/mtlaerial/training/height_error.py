"""Error of heights, masked to the cells that have one."""

import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from mtlaerial.sampling import Batch
from mtlaerial.training.task_loss import LossSettings, TaskLoss


class HeightError(TaskLoss):
    """Error over the pixels that are trained on, in units of ``training.height_unit``; see ``training.height_loss``.

    Other packages override :meth:`error`.
    """

    def __init__(self, settings: LossSettings) -> None:
        super().__init__()
        self.kind = settings.training.height_loss
        self.unit = settings.training.height_unit
        self.over_all = settings.training.height_mean == "all"
        self.zero_height = settings.zero_height

    def error(self, predicted: Tensor, true: Tensor) -> Tensor:
        """Return the error of each pixel, in the shape of the arguments."""
        if self.kind == "huber":
            return smooth_l1_loss(predicted, true, reduction="none")
        return (predicted - true).abs()

    def total(self, output: Tensor, batch: Batch) -> Tensor:
        """Return the sum of the errors over the pixels that are trained on."""
        valid = self._valid(batch.height)
        # Invalid heights are replaced before the loss: NaN times 0 would still be NaN in the gradient.
        error = self.error(output[:, 0], torch.where(valid, batch.height, 0) / self.unit)
        return (error * valid).sum()

    def amount(self, batch: Batch) -> Tensor:
        """Return the number of the pixels that are averaged over."""
        valid = self._valid(batch.height)
        return torch.full((), valid.numel(), device=valid.device) if self.over_all else valid.sum()

    def _valid(self, height: Tensor) -> Tensor:
        return torch.isfinite(height) if self.zero_height else height > 0
