"""Published scores on a data set and their protocol, as far as the source states it."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from mtlaerial.config.base import Section
from mtlaerial.config.faults import Unfit
from mtlaerial.config.numbers import Metres

PublishedScore = Literal[
    "OA", "AA", "kappa", "mIoU", "F1", "mIoU-3",
    "MAE", "RMSE", "REL", "delta1", "delta2", "delta3", "F1-HE1", "F1-HE2", "F1-HE3", "PFA",
]  # fmt: skip


class PublishedSpec(Section):
    """The scores of one method in one publication; keys of the protocol that it does not state are left out."""

    RENAMED: ClassVar = {"height_unit": "error_unit"}

    name: str
    """Name of the method."""
    source: str
    """The publication and the place of the numbers in it."""
    url: str
    """Address of the publication."""
    scores: Annotated[dict[PublishedScore, float], Field(min_length=1)]
    """Fractions; MAE and RMSE in units of ``error_unit``."""
    error_unit: Metres | None = None
    """Metres per unit of MAE and RMSE; if not stated, they are shown as they are, in columns of their own."""
    labels: Literal["all", "eroded"] | None = None
    """Ground truth of the semantics."""
    without_classes: tuple[str, ...] | None = None
    """Classes whose pixels are not scored; [] if all are."""
    heights: Literal["all", "positive"] | None = None
    """Cells of MAE and RMSE: all valid ones, or those with a height above 0."""
    pooling: Literal["pooled", "tile mean"] | None = None
    """Sums pooled over tiles, or the mean of the scores of tiles."""
    split: str | None = None
    """The tiles that are scored."""
    notes: tuple[str, ...] = ()
    """Further conditions of a comparison."""

    @model_validator(mode="after")
    def _fractions(self) -> Self:
        for score, value in self.scores.items():
            if score not in ("MAE", "RMSE", "REL") and value > 1:
                raise Unfit(f"scores.{score}", f"{value:g}", "a fraction of at most 1", "Divide per cents by 100.")
        return self
