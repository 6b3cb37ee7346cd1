"""Record of the part of the truth that a training uses."""

from typing import Any

from mtlaerial.config import Layer, Section
from mtlaerial.tiles.statistics import HeightStatistics, Statistics


class LabelledLayer(Section):
    """The part of a layer of truth that a training uses."""

    percent: float
    """Percent of the area with truth that was asked for."""
    used: float
    """Percent that is used: whole blocks, as near to that as they come."""
    blocks: dict[str, int]
    """Blocks with truth by tile, those without any left out."""
    pixels: int
    """Cells with truth, in those of the finest grid."""


class LabelledArea(Section):
    """The part of the truth that a training uses, and what is measured there."""

    seed: int
    """Seed of the order of the blocks."""
    block: int
    """Side of a block in image pixels."""
    layers: dict[Layer, LabelledLayer]
    """The layers of which a part is used; all of the others is."""
    class_pixels: tuple[int, ...] | None = None
    """As those of the statistics of the training tiles, in the part; None where all labels are used."""
    height: HeightStatistics | None = None
    """Likewise; None where all heights are used."""

    def described(self, statistics: Statistics) -> Statistics:
        """Return the statistics of the training tiles with those of the part in their place."""
        changes: dict[str, Any] = {"height": self.height} if "height" in self.layers else {}
        if self.class_pixels is not None:
            pairs = zip(statistics.classes, self.class_pixels, strict=True)
            changes["classes"] = tuple(entry.model_copy(update={"pixels": pixels}) for entry, pixels in pairs)
        return statistics.model_copy(update=changes)
