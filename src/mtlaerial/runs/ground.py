"""Record of the ground that a run was trained on: the bounds of its training tiles."""

from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from mtlaerial.config import Section


def _numbers(value: Any) -> Any:
    return tuple(map(float, value.split())) if isinstance(value, str) else value


def _text(bounds: tuple[float, ...]) -> str:
    return " ".join(map(repr, bounds))


# A line of run.yaml for each tile.
BoundsText = Annotated[
    tuple[float, float, float, float], BeforeValidator(_numbers), PlainSerializer(_text, return_type=str)
]


class Ground(Section):
    """The ground of the tiles that a run was trained on."""

    dataset: str
    """Name of the data set, or of its fold."""
    generated: bool = False
    """Whether the tiles are generated: then they lie nowhere on Earth, and are not listed."""
    tiles: dict[str, dict[str, BoundsText]] = {}
    """West, south, east and north of each tile, by CRS and name."""
    unplaced: int = 0
    """Number of tiles without georeference or CRS."""
    kept_from: tuple[str, ...] = ()
    """Tiles held out around which a buffer took the truth out of the training."""

    @property
    def text(self) -> str:
        """The record as a phrase."""
        if self.generated:
            return "generated, nowhere on Earth"
        parts = [f"{sum(map(len, self.tiles.values()))} tiles by their bounds"] if self.tiles else []
        parts += [f"{self.unplaced} without georeference or CRS"] if self.unplaced else []
        return " and ".join(parts)
