"""Files of finished rows: written from the scores of a run, and taken as the scores of one."""

from collections.abc import Mapping
from pathlib import Path

from mtlaerial.pipeline.run_keys import RunKeys
from mtlaerial.runs.cost import load_cost
from mtlaerial.runs.run import read_description
from mtlaerial.scoring.finished_row import FinishedRow, load_row, require_same_tiles, save_row, tile_hashes
from mtlaerial.scoring.scores_file import load_scores, save_scores
from mtlaerial.system.processor import processor_name


def take_row(path: Path, tiles: list[Path], scores: Path) -> None:
    """Write the scores of a finished row, marked as such.

    Parameters
    ----------
    path : Path
        The file of the row.
    tiles : list of Path
        Folders of the prepared tiles of all splits, which must be those of the row.
    scores : Path
        The ``scores.json`` to write.

    Raises
    ------
    ConfigError, DataError
        When the file is damaged or of another version, or a row of other tiles.
    """
    row = load_row(path)
    require_same_tiles(row, path, tiles)
    finished = f"{path.parent.parent.as_posix()}; {row.origin}"
    save_scores(row.scores.model_copy(update={"finished": finished}), scores)


def keep_row(
    keys: RunKeys, trained: Mapping[str, Path], scores: Path, cost: Path | None, tiles: list[Path], path: Path
) -> None:
    """Write the finished row of a run.

    Parameters
    ----------
    keys : RunKeys
    trained : mapping of str to Path
        Folders of the runs whose networks predict, by the names of their trainings among the keys.
    scores : Path
        Its ``scores.json``.
    cost : Path or None
        Its ``cost.json``; None for another prediction of a training.
    tiles : list of Path
        Folders of the prepared tiles of all splits.
    path : Path
        The file to write.

    Raises
    ------
    ConfigError, DataError
        When a file is damaged, or the row cannot be written.
    """
    patches = {name: read_description(run).plan.training.epoch_patches for name, run in trained.items()}
    keys = keys.with_patches(patches)
    measured = load_cost(cost) if cost else None
    device = f"; {measured.device}" if measured else ""
    row = FinishedRow(
        config=keys.digest,
        machine=f"{processor_name()}{device}",
        keys=dict(keys.values),
        tiles=tile_hashes(tiles),
        cost=measured,
        scores=load_scores(scores),
    )
    save_row(row, path)
