"""Meter of the share of an image that is mapped, fed while the map is made."""

from mtlaerial.prediction.blending.targets import Finished


class CoverageMeter:
    """Counts the finished pixels, and those of them with values."""

    def __init__(self) -> None:
        self.pixels = self.valid = 0

    def __call__(self, finished: Finished) -> None:
        """Count the newly finished pixels; those without image are NaN in all channels."""
        (top, bottom), (left, right) = finished.rows, finished.columns
        y, x = finished.top, finished.left
        values = finished.values[0, top - y : bottom - y, left - x : right - x]
        self.pixels += values.numel()
        self.valid += int((~values.isnan()).sum())

    @property
    def without_image(self) -> float:
        """Share of the finished pixels without image, 0-1."""
        return 1 - self.valid / self.pixels
