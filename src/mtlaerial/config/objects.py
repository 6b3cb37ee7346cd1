"""The section ``objects``: what becomes a polygon when maps are vectorised."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from mtlaerial.config.base import Section
from mtlaerial.config.faults import Unfit
from mtlaerial.config.names import require_once
from mtlaerial.config.numbers import Distance


class ObjectsSpec(Section):
    """Objects of maps: connected pixels of a class, by 4-neighbourhood, as polygons with heights."""

    classes: Annotated[tuple[str, ...], Field(min_length=1)] = ("building",)
    """Classes whose objects are written."""
    min_area: Distance = 10.0
    """Square metres on the ground; objects with smaller pixels in all are left out."""
    min_hole: Distance = 2.0
    """Square metres on the ground; smaller holes are filled. At most ``min_area``, lest an object lie in a hole that is
    filled."""
    regularise: bool = False
    """Straighten outlines and make their corners right angles, by the package buildingregulariser."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        require_once("classes", self.classes)
        if self.min_hole > self.min_area:
            expected = f"at most min_area, {self.min_area:g} m²: an object could lie in a hole that is filled"
            raise Unfit("min_hole", f"{self.min_hole:g} m²", expected, "Lower it, or raise min_area.")
        return self
