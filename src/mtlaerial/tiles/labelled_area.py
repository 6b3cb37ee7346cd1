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

    @property
    def text(self) -> str:
        """The part of the truth, as a phrase.

        Examples
        --------
        >>> layer = LabelledLayer(percent=25, used=25.3, blocks={"north": 5, "south": 2}, pixels=448)
        >>> LabelledArea(seed=3, block=8, layers={"labels": layer}).text
        '25.3 % of the labels, in 7 blocks of 8 pixels in 2 tiles, chosen by the seed 3'
        """
        names = {"labels": "labels", "height": "heights"}
        parts = [
            f"{used.used:.3g} % of the {names[layer]}, in {sum(used.blocks.values())} blocks of {self.block} pixels in "
            f"{len(used.blocks)} tiles"
            for layer, used in self.layers.items()
        ]
        return f"{'; '.join(parts)}, chosen by the seed {self.seed}"

    def described(self, statistics: Statistics) -> Statistics:
        """Return the statistics of the training tiles with those of the part in their place."""
        changes: dict[str, Any] = {"height": self.height} if "height" in self.layers else {}
        if self.class_pixels is not None:
            pairs = zip(statistics.classes, self.class_pixels, strict=True)
            changes["classes"] = tuple(entry.model_copy(update={"pixels": pixels}) for entry, pixels in pairs)
        return statistics.model_copy(update=changes)
