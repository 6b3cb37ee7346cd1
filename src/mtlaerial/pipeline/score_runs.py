"""Scores and tables of trained runs on a data set, without Snakemake: check, prepare, predict, score, tables."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mtlaerial.calibration.record import Calibration
from mtlaerial.config import Blend, ProjectConfig, Recipe, ScoringSpec, load_project
from mtlaerial.config.class_names import require_scored_classes
from mtlaerial.config.consistency import ConsistencyRules
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.config.unseen_views import unseen_notes
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import DataError
from mtlaerial.pipeline.configured_entry import configured_entry
from mtlaerial.pipeline.fitting_data import require_images
from mtlaerial.pipeline.idle_settings import idle_settings
from mtlaerial.pipeline.prepared_tiles import prepared_tiles
from mtlaerial.pipeline.scored_run import ScoredRun, scored_runs
from mtlaerial.pipeline.seen_tiles import require_unseen, validation_note
from mtlaerial.pipeline.sound_data import require_sound
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.prediction.settings import unseen_by_run
from mtlaerial.reporting.folds import Evaluation, pool_folds
from mtlaerial.reporting.mixtures import mixtures
from mtlaerial.reporting.tables import Document, write_tables
from mtlaerial.runs.calibration_file import load_calibration, unfit_text
from mtlaerial.runs.cost import PREDICTION_COST, save_prediction_cost
from mtlaerial.runs.final_weights import HISTORY
from mtlaerial.runs.seen_ground import run_ground_notes
from mtlaerial.scoring.run_scores import score_maps
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.scores_file import save_scores
from mtlaerial.system.files import require_folder

log = logging.getLogger(__name__)
NOT_IN_SPLIT = "Take it out of splits.test, or score another run."
NOT_IN_AREAS = "Give the data set's name in that training with --name, or score another run."


def score_runs(
    runs: Sequence[Path],
    spec: Path,
    root: Path,
    out: Path,
    name: str = "",
    tiles: Path | None = None,
    configs: Sequence[Path] = (),
    replace: bool = False,
    blend: Blend | None = None,
    recipe: str | None = None,
    settings: Mapping[str, Any] | None = None,
    show: Callable[[Document], None] | None = None,
) -> list[Scores]:
    """Score trained or imported runs on the test tiles of a data set, and write the workflow's tables.

    Where the data set has areas, a run is scored on the area that its training left out. The runs of several areas with
    the same plan and seed are joined, as in the workflow. A run that was trained on other data is scored on all areas.

    Parameters
    ----------
    runs : sequence of Path
        The runs' folders. Runs whose plans differ in the seed alone are one row, with mean and deviation; each other
        run is a row of its own.
    spec, root : Path
        The data set: the runs' own, or another one with the same bands, pixel size and classes.
    out : Path
        Folder for the prepared test tiles, ``tiles``; each run's maps, scores and cost, ``runs``; and the tables,
        ``tables``, as :func:`mtlaerial.reporting.tables.write_tables` writes them.
    name : str, optional
        The data set's name in tables and names of files; by default the stem of ``spec``. A run that was trained on a
        data set of another name is shown as such.
    tiles : Path, optional
        Folder of prepared tiles that other runs share, instead of ``out/tiles``.
    configs : sequence of Path, optional
        Configuration and overlays: its section ``scoring``, changed by the data set's ``recipe`` and the method's
        ``overrides`` as in the workflow, decides the scores.
    replace : bool
        Replace the tables of an earlier scoring in ``out``.
    blend : Blend, optional
        The windows instead of those that each run is scored by; ``original`` for the protocol of the original's code.
    recipe : str, optional
        Name of a recipe whose keys apply after those of ``configs``.
    settings : mapping, optional
        Keys that win over ``configs`` and ``recipe``.
    show : callable, optional
        Takes the main table when it is written.

    Returns
    -------
    list of Scores
        One per run, in their order.

    Raises
    ------
    UserError
        When a run does not match the data set, was trained on one of the test tiles or chose its weights by one, the
        files are not sound, or ``out`` holds tables that must not be replaced.
    """
    tables = out / "tables"
    if tables.exists() and not replace:
        raise DataError(tables, "tables of an earlier scoring", "none", "Choose another --out, or add --replace.")
    require_folder(out)
    dataset = Dataset.of(spec, root, name)
    dataset.require_root()
    rows = scored_runs(runs, dataset, spec)
    configured = configs or recipe or settings
    config = load_project(*configs, recipe=recipe, settings=settings) if configured else None
    if idle := idle_settings(settings or {}, blend):
        log.warning("--set %s: no score depends on it: runs are predicted as they were configured", ", ".join(idle))
    recipes = _recipes(rows, dataset, spec, config)
    rows = [row.with_blend(blend, recipe.prediction) for row, recipe in zip(rows, recipes, strict=True)]
    tested = _tested(dataset, rows)
    require_sound(tested)
    folders = prepared_tiles(tested, tested.spec.tiles, tiles or out / "tiles", shared=tiles is not None)
    by_tile = {folder.name: folder for folder in folders}
    tiles_of = [[by_tile[name] for name in row.tiles] for row in rows]
    for row, row_tiles in zip(rows, tiles_of, strict=True):
        remedy = NOT_IN_AREAS if dataset.spec.areas else NOT_IN_SPLIT
        require_unseen(row.folder, row.description, row_tiles, remedy)
        require_images(row.folder, row.description, row_tiles, dataset.spec.gsd)
    notes = _validation_notes(rows, tiles_of)
    grounds = _ground_notes(rows, tiles_of)
    unseen = [unseen_by_run(row.description.plan.prediction, row.description) for row in rows]
    notes += unseen_notes(zip((row.description.plan.method for row in rows), unseen, strict=True))
    jobs = zip(rows, tiles_of, recipes, strict=True)
    rules = dataset.spec.consistency
    scores = [_score(row, row_tiles, recipe.scoring, rules, out / "runs") for row, row_tiles, recipe in jobs]
    scores = [run.model_copy(update={"ground": ground}) for run, ground in zip(scores, grounds, strict=True)]
    documents = _write_tables(scores, dataset, tables, notes)
    if show:
        show(documents[0])
    return scores


def _validation_notes(rows: Sequence[ScoredRun], tiles_of: Sequence[Sequence[Path]]) -> list[str]:
    """Return notes on test tiles that runs may have seen, and log them: before the hours of predicting."""
    notes = [validation_note(row.description, tiles) for row, tiles in zip(rows, tiles_of, strict=True)]
    distinct = list(dict.fromkeys(filter(None, notes)))
    for note in distinct:
        log.warning("%s", note)
    return distinct


def _ground_notes(rows: Sequence[ScoredRun], tiles_of: Sequence[Sequence[Path]]) -> list[tuple[str, ...]]:
    """Return each run's notes on test tiles on ground that it has seen, and log them."""
    pairs = zip(rows, tiles_of, strict=True)
    notes = [run_ground_notes(row.description, tiles, "test", bool(row.trained_on)) for row, tiles in pairs]
    for note in dict.fromkeys(note for of_run in notes for note in of_run):
        log.warning("%s", note)
    return notes


def _recipes(rows: Sequence[ScoredRun], dataset: Dataset, spec: Path, config: ProjectConfig | None) -> list[Recipe]:
    """Return the recipe in force for each run, as the workflow has it for its method and the data set.

    Of it the section ``scoring`` decides, and with a blend the windows of ``prediction``.
    """
    specified = dataset.spec.recipe
    if config:
        entry = configured_entry(config, dataset.name)
        recipes = [recipe_in_force(config, specified, method, entry) for method in _configured_methods(rows, config)]
    else:
        recipes = [Recipe.parse(specified, f"{spec}, recipe")] * len(rows)
    for in_force in recipes:
        require_scored_classes(in_force.scoring, dataset.spec, str(spec))
    return recipes


def _configured_methods(rows: Sequence[ScoredRun], config: ProjectConfig) -> list[str | None]:
    """Return the method of each run in a configuration; None, with a warning if it was trained, where it has none."""
    trained = [row.method for row in rows if not row.description.imported]
    unknown = dict.fromkeys(method for method in trained if method not in config.methods)
    if unknown:
        log.warning("The configuration has no method %s: its own overrides do not count", ", ".join(unknown))
    return [row.method if row.method in config.methods else None for row in rows]


def _tested(dataset: Dataset, rows: Sequence[ScoredRun]) -> Dataset:
    """Return the data set with the tested tiles alone: files of other tiles may be missing."""
    tiles = tuple(dict.fromkeys(tile for row in rows for tile in row.tiles))
    return replace(dataset, spec=dataset.spec.model_copy(update={"splits": {"test": tiles}, "areas": {}}))


def _score(
    row: ScoredRun, tiles: Sequence[Path], scoring: ScoringSpec, rules: ConsistencyRules, parent: Path
) -> Scores:
    folder = parent / row.folder_name
    cost = Predictor(row.folder, row.description.plan.prediction).predict_tiles(tiles, folder / "maps")
    save_prediction_cost(cost, folder / PREDICTION_COST)
    scores = score_maps(
        row.description,
        folder / "maps",
        tiles,
        scoring,
        history=row.folder / HISTORY,
        rules=rules,
        calibration=_calibration(row),
    ).model_copy(update={"trained_on": row.trained_on})
    save_scores(scores, folder / "scores.json")
    return scores


def _calibration(row: ScoredRun) -> Calibration | None:
    """Return the calibration in a run's folder; None, with a warning, where it does not hold for the maps."""
    calibration = load_calibration(row.folder)
    if calibration and (difference := unfit_text(calibration, row.description, row.description.plan.prediction)):
        log.warning("%s: scored without the calibration, which was %s", row.folder, difference)
        return None
    return calibration


def _write_tables(
    scores: Sequence[Scores], dataset: Dataset, folder: Path, notes: Sequence[str]
) -> tuple[Document, ...]:
    """Join the runs of folds, warn of rows that are not comparable, and write the tables with the notes below them."""
    folds = tuple(dataset.spec.fold_areas(dataset.name))
    evaluation = Evaluation(folds=folds, protocol=_protocol(scores, dataset))
    pooled = pool_folds(scores, {dataset.name: evaluation})
    for alarm in mixtures(pooled):
        log.warning("%s", alarm)
    for stale in [*folder.glob("*.csv"), *folder.glob("*.md"), *folder.glob("*.tex")]:
        stale.unlink()
    return write_tables(pooled, folder, {dataset.name: dataset.spec.published}, {dataset.name: notes})


def _protocol(scores: Sequence[Scores], dataset: Dataset) -> str:
    """Return the protocol of the data set; it begins with the tested areas where these are not all."""
    tiles = {tile for run in scores for tile in run.tiles}
    tested = [area for area, members in dataset.spec.areas.items() if tiles.intersection(members)]
    part = f"{', '.join(tested)} of " if len(tested) < len(dataset.spec.areas) else ""
    return part + dataset.spec.protocol
