"""Scores of a run's maps against the ground truth: sums per tile, in one file per run."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from mtlaerial.config import ScoringSpec, Section, Task
from mtlaerial.errors import DataError
from mtlaerial.runs.code_hash import code_hash
from mtlaerial.runs.run import RunDescription, load_description
from mtlaerial.scoring.seams import SeamSums, load_seams
from mtlaerial.scoring.tile_sums import Confusion, Sums, tally_classes, tally_heights
from mtlaerial.system.files import writing
from mtlaerial.tiles.record import verify_tiles


class TileScores(Section):
    """Sums over one tile; those of an absent layer are empty."""

    confusion: Confusion = ()
    """Pixels by true class (row) and predicted class (column; the last: no prediction)."""
    eroded: Confusion = ()
    """The same without the pixels along class boundaries, as the eroded ground truth has it."""
    height: Sums = {}
    """Groups: ``overall``, ``class NAME`` and ``LOW-HIGH m`` by true height."""
    constant: Sums = {}
    """The same for a constant prediction, the median of the training tiles; group ``overall``."""
    seams: SeamSums = {}
    """Steps of the maps' values at window borders, and elsewhere."""


class Scores(Section):
    """All sums of one run: the content of ``scores.json``."""

    dataset: str
    title: str
    generated: bool
    method: str
    seed: int
    tasks: tuple[Task, ...]
    weighting: str
    """Name of the weighting in training; ``unknown`` for imported weights."""
    classes: tuple[str, ...]
    training_pixels: tuple[int, ...]
    """Pixels of each class; the most frequent is the majority class. Zeros when the training tiles are not known."""
    height_unit: float | None = None
    """Metres per unit of a second presentation of height errors."""
    mtlaerial: str
    code: str
    """Hash of the modules that trained the run."""
    scoring_code: str = ""
    """Hash of the modules that scored it."""
    tiles: dict[str, TileScores]

    def confusion(self, mask: str = "all") -> NDArray[np.int64]:
        """Return the confusion matrix over all tiles, shape (classes, classes + 1); zeros without ground truth."""
        n = len(self.classes)
        layer = "confusion" if mask == "all" else "eroded"
        parts = [getattr(tile, layer) for tile in self.tiles.values()]
        matrices = [np.array(part, dtype=np.int64) for part in parts if part]
        return np.sum(matrices, axis=0) if matrices else np.zeros((n, n + 1), dtype=np.int64)

    def height(self, mask: str, source: str = "height") -> dict[str, NDArray[np.float64]]:
        """Return the height sums over all tiles by group, for a mask; ``source`` may be ``constant``."""
        total: dict[str, NDArray[np.float64]] = {}
        for tile in self.tiles.values():
            for group, sums in getattr(tile, source).get(mask, {}).items():
                total[group] = total.get(group, 0) + np.array(sums)
        return total


def score_run(run: Path, tiles: Sequence[Path], scoring: ScoringSpec) -> Scores:
    """Score the maps of a run on its test tiles.

    Parameters
    ----------
    run : Path
        The run's folder, with ``run.yaml`` and in ``maps/{tile}`` ``{semantics,height}.tif``, ``seams.json``.
    tiles : sequence of Path
        Folders of the prepared test tiles.
    scoring : ScoringSpec

    Raises
    ------
    DataError
        When a layer of the ground truth is damaged, a map is missing, or its grid differs from its ground truth's, or
        that of eroded labels from the labels'.
    """
    return score_maps(load_description(run), run / "maps", tiles, scoring)


def score_maps(description: RunDescription, maps: Path, tiles: Sequence[Path], scoring: ScoringSpec) -> Scores:
    """Score the maps of a described run in any folder; see :func:`score_run`."""
    verify_tiles(tiles, ["height", "labels", "eroded"])
    plan, statistics = description.plan, description.statistics
    names = tuple([entry.name for entry in statistics.classes])
    pixels = tuple([entry.pixels for entry in statistics.classes])
    tile_scores = {tile.name: _score_tile(maps / tile.name, tile, description, scoring) for tile in tiles}
    return Scores(
        dataset=plan.dataset,
        title=statistics.title,
        generated=statistics.generated,
        method=plan.method,
        seed=plan.seed,
        tasks=plan.tasks,
        weighting="unknown" if description.imported else plan.weighting.name,
        classes=names,
        training_pixels=pixels,
        height_unit=scoring.error_unit,
        mtlaerial=description.mtlaerial,
        code=description.code,
        scoring_code=code_hash("scoring"),
        tiles=tile_scores,
    )


def save_scores(scores: Scores, path: Path) -> None:
    """Write ``scores.json``."""
    with writing(path) as partial:
        partial.write_text(scores.model_dump_json(indent=1), encoding="utf-8")


def load_scores(path: Path) -> Scores:
    """Read ``scores.json``.

    Raises
    ------
    DataError
        When the file is not valid in this version.
    """
    try:
        return Scores.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        first = error.errors()[0]
        fault = f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
        raise DataError(path, fault, "scores of this version", "Delete the file, so that it is made again.") from None


def _score_tile(maps: Path, tile: Path, description: RunDescription, scoring: ScoringSpec) -> TileScores:
    tasks, names = description.plan.tasks, [entry.name for entry in description.statistics.classes]
    confusion: Confusion = ()
    eroded: Confusion = ()
    height: Sums = {}
    constant: Sums = {}
    if "semantics" in tasks:
        confusion, eroded = tally_classes(maps / "semantics.tif", tile, len(names))
    if "height" in tasks:
        training = description.statistics.height  # None without heights in the training tiles
        median = training.median if training else 0.0
        height, constant = tally_heights(maps / "height.tif", tile, names, scoring.height_bins, median)
        constant = constant if training else {}
    return TileScores(confusion=confusion, eroded=eroded, height=height, constant=constant, seams=load_seams(maps))
