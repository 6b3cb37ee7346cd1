"""Pictures of a tile as the report shows them: their places, sizes and captions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["image", "truth", "prediction", "error", "uncertainty"]
Share = tuple[float, float, float, float]
"""Left, top, width and height of a picture as fractions of the tile's."""


@dataclass(frozen=True)
class Picture:
    """A picture of a tile, as two files.

    Attributes
    ----------
    kind : Kind
    task : str
        Name of the task; empty for the image.
    title : str
        What it shows, e.g. ``predicted height``.
    full, preview : Path
        The whole picture, and one that is small enough for the page.
    size, preview_size : tuple of int
        Width and height of both, in pixels.
    place : Share
        Where it lies in the tile: layers of other grids may begin and end elsewhere.
    method : str
        Empty for what all methods share.
    """

    kind: Kind
    task: str
    title: str
    full: Path
    preview: Path
    size: tuple[int, int]
    preview_size: tuple[int, int]
    place: Share
    method: str = ""


@dataclass(frozen=True)
class Key:
    """Key of the colours of some pictures: swatches, or a ramp of numbers.

    Attributes
    ----------
    title : str
        With the unit, e.g. ``height above ground (m)``.
    swatches : sequence of (name, colour)
        Colours as ``#rrggbb``.
    stops : sequence of str
        Colours of a ramp at equal distances.
    ticks : sequence of str
        Numbers below the ramp at equal distances.
    """

    title: str
    swatches: Sequence[tuple[str, str]] = ()
    stops: Sequence[str] = ()
    ticks: Sequence[str] = ()


@dataclass(frozen=True)
class MethodRow:
    """Pictures of a method on a tile.

    Attributes
    ----------
    method : str
    scores : str
        Its scores on the tile as text; empty without truth.
    pictures : sequence of Picture
    """

    method: str
    scores: str
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class TileSheet:
    """All pictures of a tile.

    Attributes
    ----------
    name : str
    size : str
        Size in pixels and metres, as text.
    aspect : float
        Width over height.
    shared : sequence of Picture
        Image and truth.
    rows : sequence of MethodRow
    keys : sequence of Key
    """

    name: str
    size: str
    aspect: float
    shared: Sequence[Picture]
    rows: Sequence[MethodRow]
    keys: Sequence[Key] = field(default=())

    @property
    def pictures(self) -> list[Picture]:
        """All pictures, in the order of the page."""
        return [*self.shared, *(picture for row in self.rows for picture in row.pictures)]
