"""Tiles of a data set for the report: drawn one after the other, with the maps of the first seed of each method."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mtlaerial.reporting.report.tiles.draw import MethodMaps, draw_tile
from mtlaerial.reporting.report.tiles.pictures import TileSheet
from mtlaerial.reporting.report.tiles.tile_scores_text import tile_scores_text
from mtlaerial.runs.run import RunDescription
from mtlaerial.scoring.scores import Scores
from mtlaerial.system.progress import track

PREVIEW_SIDES = (640, 480, 360, 240, 160)
"""Largest width and height of previews: the first with which all of a page may have room."""
BYTES_PER_PIXEL = 0.12
"""Of a preview of a square tile, from which their number on a page is estimated."""


@dataclass(frozen=True)
class PredictedMaps:
    """Maps of a run.

    Attributes
    ----------
    folder : Path
        With a folder for each tile.
    description : RunDescription
    scores : Scores, optional
        Of the run.
    """

    folder: Path
    description: RunDescription
    scores: Scores | None = None


@dataclass(frozen=True)
class DatasetMaps:
    """Test tiles of a data set, and the maps of its methods.

    Attributes
    ----------
    tiles : sequence of Path
        Folders of the prepared test tiles.
    methods : mapping of method to sequence of PredictedMaps
        One run per method, or one per fold.
    """

    tiles: Sequence[Path] = ()
    methods: Mapping[str, Sequence[PredictedMaps]] = field(default_factory=dict)

    @property
    def pictures_per_tile(self) -> int:
        """Largest number of pictures of a tile: image and truth, and three per method and task."""
        tasks = [runs[0].description.plan.tasks for runs in self.methods.values()]
        return 1 + len({task for of_method in tasks for task in of_method}) + sum(3 * len(each) for each in tasks)


def draw_tiles(maps: DatasetMaps, folder: Path, side: int) -> Iterator[TileSheet]:
    """Draw the tiles of a data set, one after the other; those without any map are passed over.

    Parameters
    ----------
    maps : DatasetMaps
    folder : Path
        Where the pictures go, in a folder per tile.
    side : int
        Largest width and height of previews.
    """
    for tile in track(maps.tiles, len(maps.tiles), "drawing", "tile"):
        methods = [entry for name, runs in maps.methods.items() for entry in _on_tile(name, runs, tile.name)]
        if methods:
            yield draw_tile(tile, methods, folder / tile.name, side)


def _on_tile(method: str, runs: Sequence[PredictedMaps], tile: str) -> Iterator[MethodMaps]:
    """Yield the maps of a method on a tile, of the fold that tested it; nothing where no run predicted it."""
    for run in runs:
        if (run.folder / tile).is_dir():
            scores = tile_scores_text(run.scores, tile) if run.scores else ""
            yield MethodMaps(method, run.description, run.folder / tile, scores)
            return


def preview_side(number: int, room: int) -> int:
    """Return the largest width and height of so many previews that about fit into a number of bytes.

    >>> preview_side(20, 8_000_000), preview_side(5_000, 8_000_000)
    (640, 160)
    """
    fitting = (side for side in PREVIEW_SIDES if number * BYTES_PER_PIXEL * side**2 <= room)
    return next(fitting, PREVIEW_SIDES[-1])
