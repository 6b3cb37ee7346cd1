"""The section ``scoring``."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from mtlaerial.config.base import Section, is_empty
from mtlaerial.config.class_sets import ClassSets, require_sets
from mtlaerial.config.faults import Unfit
from mtlaerial.config.names import require_once
from mtlaerial.config.numbers import Metres


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

    class_sets: ClassSets = Field(default={}, exclude_if=is_empty)
    """Sets of classes by name, each scored as one class: ``{built: [impervious, building], water: [water]}`` gives the
    mIoU over the two sets. Pixels whose true class is in no set are ignored."""

    @model_validator(mode="after")
    def _sets_of_different_classes(self) -> Self:
        require_sets(self.class_sets)
        return self

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
