"""Test tiles that a run has seen in its training: refused, or noted below the tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mtlaerial.errors import DataError
from mtlaerial.runs.run import RunDescription
from mtlaerial.tiles.record import image_hash, tile_digest


def require_unseen(folder: Path, run: RunDescription, tiles: Sequence[Path], remedy: str) -> None:
    """Refuse prepared tiles that a run was trained on or that chose its weights, whatever their names and truth were.

    Parameters
    ----------
    folder : Path
        The run's folder.
    run : RunDescription
    tiles : sequence of Path
        Folders of prepared test tiles.
    remedy : str

    Raises
    ------
    DataError
    """
    selecting: dict[str, str] = {}
    for network in run.networks:
        if network.plan.training.selection == "best":
            selecting |= _by_hash(network.validation or {})
    for tile in tiles:
        if name := trained_on(run, tile):
            raise _seen(tile, f"{folder} was trained on, as {name}", remedy)
        if name := _name_in(selecting, tile):
            use = f"{folder} chose its weights by (training.selection: best), as its validation tile {name}"
            raise _seen(tile, use, remedy)


def trained_on(run: RunDescription, tile: Path) -> str | None:
    """Return the name that a prepared tile had among the training tiles of a run; None where it was not among them."""
    trained: dict[str, str] = {}
    for network in run.networks:
        trained |= {**_by_hash(network.statistics.tiles), **_by_hash(network.statistics.images)}
    return _name_in(trained, tile)


def validation_note(run: RunDescription, tiles: Sequence[Path]) -> str:
    """Return a note on test tiles that are validation tiles of a run, or may be; empty where none is.

    Parameters
    ----------
    run : RunDescription
        Under the name of its row.
    tiles : sequence of Path
        Folders of prepared test tiles, which :func:`require_unseen` has passed.
    """
    if run.members:
        renamed = {"method": run.plan.method}
        members = [each.model_copy(update={"plan": each.plan.model_copy(update=renamed)}) for each in run.networks]
        return " ".join(dict.fromkeys(filter(None, (validation_note(member, tiles) for member in members))))
    method = run.plan.method
    if run.imported:
        return f"{method}: imported; whether it was trained or selected on test tiles could not be told."
    if run.validation is None:
        lack = "its run.yaml, of an earlier version, does not list its validation tiles"
        return f"{method}: {lack}; whether its weights were selected on test tiles could not be told."
    validation = _by_hash(run.validation)
    watched = [tile.name for tile in tiles if _name_in(validation, tile)]
    if not watched:
        return ""
    return f"{method}: validated on test tiles ({', '.join(watched)}); its weights are the last, not chosen by them."


def _by_hash(hashes: Mapping[str, str]) -> dict[str, str]:
    return {value: name for name, value in hashes.items()}


def _name_in(names: Mapping[str, str], tile: Path) -> str | None:
    """Return a tile's name among tiles by hash, of the image or of all layers; None where it is not among them."""
    return names.get(image_hash(tile)) or names.get(tile_digest(tile))


def _seen(tile: Path, use: str, remedy: str) -> DataError:
    return DataError(tile.name, f"a test tile that {use}", "tiles that the run has not seen", remedy)
