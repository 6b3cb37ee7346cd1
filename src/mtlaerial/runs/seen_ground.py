"""Tiles on ground that a run, or a run that it began with, was trained on: notes, as their scores may be too high."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mtlaerial.datasets.check.overlaps import overlaps
from mtlaerial.datasets.footprints import Footprint
from mtlaerial.runs.ground import Ground
from mtlaerial.runs.prepared_ground import prepared_footprint, recorded_footprints
from mtlaerial.runs.run import RunDescription
from mtlaerial.runs.start import StartRecord

OVERLAP = 1e-3
"""Largest overlap of two tiles, as a share of the smaller one, that counts as rounding of their edges."""
_NAMED = 5
"""Largest number of tiles that a note names."""


class Trained(NamedTuple):
    """A run that has seen ground: the one that is judged, or one that it began with.

    Attributes
    ----------
    name : str
        Empty for the one that is judged.
    ground : Ground or None
        None where it is not known.
    expected : bool
        Whether a note is due where it is not known.
    """

    name: str
    ground: Ground | None
    expected: bool = True

    @property
    def phrase(self) -> str:
        """Who was trained there, for a relative clause."""
        return f"{self.name}, which it began with, was" if self.name else "it was"


class NewTiles(NamedTuple):
    """Tiles whose ground should be new to a run.

    Attributes
    ----------
    dataset : str
        Their data set, or its fold.
    use : str
        ``test`` or ``validation``.
    footprints : sequence of Footprint
        Of those with georeference and CRS.
    unplaced : int
        Number of the others.
    """

    dataset: str
    use: str
    footprints: Sequence[Footprint]
    unplaced: int


def prepared_tiles(folders: Sequence[Path], dataset: str, use: str) -> NewTiles:
    """Return prepared tiles as new ones.

    Raises
    ------
    DataError
        When an image cannot be read.
    """
    footprints = [footprint for folder in folders if (footprint := prepared_footprint(folder))]
    return NewTiles(dataset, use, footprints, len(folders) - len(footprints))


def ancestors(start: StartRecord | None) -> list[Trained]:
    """Return the runs that a training began with, the last first; published weights are none."""
    runs = []
    while start:
        if start.kind == "run":
            runs.append(Trained(start.name, start.ground))
        start = start.start
    return runs


def run_ground_notes(run: RunDescription, tiles: Sequence[Path], use: str, elsewhere: bool) -> tuple[str, ...]:
    """Return sentences on tiles that lie on ground that a run has seen, or may; empty for generated tiles.

    Parameters
    ----------
    run : RunDescription
        Under the names of its row and of what it is scored on; of an ensemble all members count.
    tiles : sequence of Path
        Folders of the prepared tiles.
    use : str
        ``test`` or ``validation``.
    elsewhere : bool
        Whether the tiles are of another data set than the training's. Within one, checks have compared the splits.

    Raises
    ------
    DataError
        When an image cannot be read.
    """
    if run.statistics.generated or run.imported:
        return ()
    new, notes = prepared_tiles(tiles, run.plan.dataset, use), []
    for network in run.networks:
        trained = [Trained("", network.ground, elsewhere), *ancestors(network.start)]
        notes += [*network.ground_notes, *ground_notes(run.plan.method, trained, new)]
    return tuple(dict.fromkeys(notes))


def ground_notes(method: str, trained: Sequence[Trained], new: NewTiles) -> list[str]:
    """Return sentences on new tiles that lie on the ground of trainings, and one on what could not be told.

    Parameters
    ----------
    method : str
        Name of the run that the tiles should be new to.
    trained : sequence of Trained
    new : NewTiles
        None of them generated.
    """
    notes = []
    for run in trained:
        if run.ground and (names := _on(run.ground, new)):
            named = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
            place = f"on ground that {run.phrase} trained on"
            notes.append(f"{method}: {new.use} tiles {place}, so that their scores may be too high: {named}.")
    return notes + _untold(method, trained, new)


def _on(ground: Ground, new: NewTiles) -> list[str]:
    """Return the names of the tiles that lie on some ground, but for those that a buffer kept its truth away from."""
    buffered = ground.kept_from if ground.dataset == new.dataset else ()
    tiles = [footprint for footprint in new.footprints if footprint.tile not in buffered]
    if not tiles or not ground.tiles:
        return []
    grouped = [footprint.model_copy(update={"group": "new"}) for footprint in tiles]
    shared = overlaps([*recorded_footprints(ground), *grouped])
    names = {(first if first.group == "new" else second).tile for first, second, share in shared if share > OVERLAP}
    return [footprint.tile for footprint in tiles if footprint.tile in names]


def _untold(method: str, trained: Sequence[Trained], new: NewTiles) -> list[str]:
    """Return the sentence on what could not be told; none where all could."""
    asked = [run for run in trained if run.expected and not (run.ground and run.ground.generated)]
    unknown = [run for run in asked if run.ground is None]
    unplaced = [run for run in asked if run.ground and (new.unplaced or run.ground.unplaced)]
    if not (unknown or unplaced):
        return []
    names = " or ".join(dict.fromkeys(run.phrase for run in asked if run in unknown or run in unplaced))
    causes = ["the ground of that training is not known"] if unknown else []
    causes += ["tiles have no georeference or CRS"] if unplaced else []
    question = f"whether {new.use} tiles lie on ground that {names} trained on"
    return [f"{method}: {question} could not be told, as {' and '.join(causes)}."]
