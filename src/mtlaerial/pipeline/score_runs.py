"""Scores and tables of trained runs on a data set, without Snakemake: check, prepare, predict, score, tables."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mtlaerial.config import Recipe, ScoringSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.pipeline.prepared_tiles import prepared_tiles
from mtlaerial.pipeline.scored_run import ScoredRun, scored_runs
from mtlaerial.pipeline.single_run import require_sound
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.reporting.report import mixtures
from mtlaerial.reporting.tables import write_tables
from mtlaerial.scoring.scores import Scores, save_scores, score_maps
from mtlaerial.tiles.record import tile_digest

log = logging.getLogger(__name__)


def score_runs(
    runs: Sequence[Path],
    spec: Path,
    root: Path,
    out: Path,
    name: str = "",
    tiles: Path | None = None,
    replace: bool = False,
) -> list[Scores]:
    """Score trained or imported runs on the test tiles of a data set, and write the workflow's tables.

    Parameters
    ----------
    runs : sequence of Path
        The runs' folders. Runs whose plans differ in the seed alone are one row, with mean and deviation; each other
        run is a row of its own.
    spec, root : Path
        The data set: the runs' own, or another one with the same bands, pixel size and classes.
    out : Path
        Folder for the prepared test tiles, ``tiles``; each run's maps and ``scores.json``, ``runs``; and the tables,
        ``tables``, as :func:`mtlaerial.reporting.tables.write_tables` writes them.
    name : str, optional
        The data set's name in tables and names of files; by default the stem of ``spec``. A run that was trained on a
        data set of another name is shown as such.
    tiles : Path, optional
        Folder of prepared tiles that other runs share, instead of ``out/tiles``.
    replace : bool
        Replace the tables of an earlier scoring in ``out``.

    Returns
    -------
    list of Scores
        One per run, in their order.

    Raises
    ------
    UserError
        When a run does not match the data set or was trained on one of the test tiles, the files are not sound, or
        ``out`` holds tables that must not be replaced.
    """
    tables = out / "tables"
    if tables.exists() and not replace:
        raise DataError(tables, "tables of an earlier scoring", "none", "Choose another --out, or add --replace.")
    dataset = _tested(Dataset.of(spec, root, name), spec)
    dataset.require_root()
    scoring = Recipe.parse(dataset.spec.recipe, f"{spec}, recipe").scoring
    rows = scored_runs(runs, dataset, spec)
    require_sound(dataset)
    folders = prepared_tiles(dataset, dataset.spec.tiles, tiles or out / "tiles", shared=tiles is not None)
    digests = {folder.name: tile_digest(folder) for folder in folders}
    for row in rows:
        row.require_unseen(digests)
        row.require_images(folders, dataset.spec.gsd)
    scores = [_score(row, folders, scoring, out / "runs") for row in rows]
    for alarm in mixtures(scores):
        log.warning("%s", alarm)
    for stale in [*tables.glob("*.csv"), *tables.glob("*.md"), *tables.glob("*.tex")]:
        stale.unlink()
    write_tables(scores, tables, {dataset.name: dataset.spec.published})
    return scores


def _tested(dataset: Dataset, spec: Path) -> Dataset:
    """Return the data set with its test tiles alone: files of other tiles may be missing."""
    tiles = dataset.spec.splits.get("test", ())
    if not tiles:
        raise ConfigError(f"{spec}, key splits.test", "no tiles", "at least one tile to score", "List the test tiles.")
    return replace(dataset, spec=dataset.spec.model_copy(update={"splits": {"test": tiles}}))


def _score(row: ScoredRun, tiles: Sequence[Path], scoring: ScoringSpec, parent: Path) -> Scores:
    folder = parent / row.folder_name
    Predictor(row.folder).predict_tiles(tiles, folder / "maps")
    scores = score_maps(row.description, folder / "maps", tiles, scoring)
    save_scores(scores, folder / "scores.json")
    return scores
