"""Error of values that are derived from heights."""

from dataclasses import replace

from torch import Tensor

from mtlaerial.sampling import Batch
from mtlaerial.training.height_error import HeightError
from mtlaerial.training.task_loss import LossSettings


class DerivedError(HeightError):
    """Error of a task whose truth its entry derives from the heights, as that of heights.

    What the recipe says of heights alone does not apply: 0 is a value like any other, all values count alike, and there
    is no term of differences between pixels.
    """

    def __init__(self, settings: LossSettings) -> None:
        super().__init__(replace(settings, zero_height=True, height_weights=None))
        self.gradient = 0.0
        self._task = settings.task

    def truth(self, batch: Batch) -> Tensor:
        """Return the derived values of each pixel in metres, NaN where not known."""
        return batch.derived[self._task]
