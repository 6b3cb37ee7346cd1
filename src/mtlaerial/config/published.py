"""Scores that others report on a data set, and by which protocol, as far as their source says."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, PositiveFloat, model_validator

from mtlaerial.config.base import Section

PublishedScore = Literal["OA", "AA", "kappa", "mIoU", "F1", "MAE", "RMSE", "REL", "delta1", "delta2", "delta3"]


class PublishedSpec(Section):
    """What one source reports of one method; of the protocol, what the source does not state is left out."""

    RENAMED: ClassVar = {"height_unit": "error_unit"}

    name: str
    """The method's."""
    source: str
    """The publication, and where in it the numbers are."""
    url: str
    scores: Annotated[dict[PublishedScore, float], Field(min_length=1)]
    """Fractions; MAE and RMSE in units of ``error_unit``."""
    error_unit: PositiveFloat | None = None
    """Metres per unit of MAE and RMSE; where it is not stated, they are shown beside metres as they are."""
    labels: Literal["all", "eroded"] | None = None
    """Which ground truth semantics are scored on."""
    heights: Literal["all", "positive"] | None = None
    """Which cells MAE and RMSE are over: all valid ones, or those with a height above 0."""
    pooling: Literal["pooled", "tile mean"] | None = None
    """Whether sums are pooled over tiles, or scores of tiles averaged."""
    split: str | None = None
    """The tiles that are scored."""
    notes: tuple[str, ...] = ()
    """What else a reader must know to compare."""

    @model_validator(mode="after")
    def _fractions(self) -> Self:
        for score, value in self.scores.items():
            if score not in ("MAE", "RMSE", "REL") and value > 1:
                raise ValueError(f"fractions, but {score} is {value:g}")
        return self
