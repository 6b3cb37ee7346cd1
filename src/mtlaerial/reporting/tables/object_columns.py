"""Columns of tables of objects: scores of a group of objects, and their presentation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from mtlaerial.scoring.object_sums import ObjectSums

ABSENT = "–"


@dataclass(frozen=True)
class ObjectColumn:
    """A score of objects."""

    header: str
    name: str
    """Of the property of :class:`mtlaerial.scoring.object_sums.ObjectSums`."""
    scale: float = 1.0
    digits: int = 1

    def value(self, sums: ObjectSums) -> float:
        """Return the score of a group in the table's unit; NaN without any."""
        return self.scale * float(getattr(sums, self.name))

    def text(self, sums: Sequence[ObjectSums]) -> str:
        """Return the text of the score of a group: of several seeds mean and sample standard deviation."""
        values = [value for value in map(self.value, sums) if not math.isnan(value)]
        if not values:
            return ABSENT
        if len(sums) == 1 or (self.digits == 0 and len(set(values)) == 1):
            return self._number(values[0], self.digits)
        digits = max(self.digits, 1)  # a mean of counts is no whole number
        spread = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
        lacking = f" (n = {len(values)})" if len(values) < len(sums) else ""
        return f"{self._number(fmean(values), digits)}{spread}{lacking}"

    @staticmethod
    def _number(value: float, digits: int) -> str:
        shown = round(value, digits) + 0.0  # -0.0 + 0.0 is 0.0
        return f"{shown:.{digits}f}".replace("-", "−")


DETECTION = (
    ObjectColumn("predicted", "predicted", digits=0),
    ObjectColumn("true", "true", digits=0),
    ObjectColumn("precision (%)", "precision", 100),
    ObjectColumn("recall (%)", "recall", 100),
    ObjectColumn("F1 (%)", "f1", 100),
    ObjectColumn("mean IoU (%)", "iou", 100),
    ObjectColumn("rotation (°)", "rotation"),
)
HEIGHTS = (
    ObjectColumn("matched with heights", "heights", digits=0),
    ObjectColumn("bias (m)", "bias", digits=2),
    ObjectColumn("MAE (m)", "mae", digits=2),
    ObjectColumn("in the interval (%)", "covered", 100),
)
