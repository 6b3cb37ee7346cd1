"""Finished rows of a project: those that it takes instead of training them, and those that it writes."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from mtlaerial.config.recipe_overlay import merge_files
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.project_starts import run_of, start_of
from mtlaerial.pipeline.run_keys import run_keys, unidentified_start
from mtlaerial.runs.cost import load_cost
from mtlaerial.runs.plan import fingerprint
from mtlaerial.runs.weights import WEIGHTS
from mtlaerial.scoring.finished_row import (
    FinishedRow,
    load_row,
    read_entries,
    require_same_tiles,
    save_row,
    tile_hashes,
)
from mtlaerial.scoring.scores import load_scores, save_scores
from mtlaerial.system.processor import processor_name

SCORES = "scores.json"


class RunKey(NamedTuple):
    """A run of a project."""

    dataset: str
    method: str
    seed: int


@dataclass(frozen=True)
class FinishedRows:
    """The rows that a project takes from the folder ``finished`` of its configuration.

    Attributes
    ----------
    taken : dict of RunKey to Path
        The files of the rows that are taken.
    kept : list of RunKey
        Runs of this folder, whose rows can be written.
    notes : list of str
        A sentence on each row that is there but is not taken, and each run whose row cannot be written.
    """

    taken: dict[RunKey, Path] = field(default_factory=dict)
    kept: list[RunKey] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def row_path(folder: Path, run: RunKey) -> Path:
    """Return the file of a run's row."""
    return folder / run.dataset / f"{run.method}.seed{run.seed}.json"


def find_rows(project: Project) -> FinishedRows:
    """Return the finished rows of a project; none where its configuration has no ``finished``.

    A row is taken where its keys are those of the configuration and the folder of results has no such run. A run that
    is there stays, with its maps and figures.

    Raises
    ------
    DataError
        When the file of a row is damaged.
    """
    rows, folder = FinishedRows(), project.config.finished
    if folder is None:
        return rows
    for dataset, method in project.runs():
        start = unidentified_start(project, dataset, method)
        if start:
            text = f"No finished row of {method} on {dataset}: no key identifies its initial weights, {start}."
            rows.notes.append(text)
            continue
        for seed in project.config.seeds(method):
            _sort(project, rows, RunKey(dataset, method, seed), folder)
    # Else such a training would be there at the end of the workflow, whose later jobs would no longer take its row.
    for run in _made_here(project, rows.taken):
        if rows.taken.pop(run, None):
            rows.kept.append(run)
    return rows


def taken_runs(configs: Sequence[Path]) -> set[RunKey]:
    """Return the trainings that finished rows take the place of, from the files of a configuration.

    They are those of the rows that are taken, and those of members of ensembles whose rows are taken.

    Raises
    ------
    ConfigError, DataError
        For anything wrong in the configuration, or a damaged row.
    """
    data = merge_files(configs)
    if not data.get("finished"):
        return set()
    project = Project.of(data)
    trained_here = _made_here(project, find_rows(project).taken)
    trainings = {RunKey(*run, seed) for run in project.trainings() for seed in project.config.run.seeds}
    return {run for run in trainings.difference(trained_here) if not _is_here(project, run)}


def _sort(project: Project, rows: FinishedRows, run: RunKey, folder: Path) -> None:
    """Put a run among those that are taken or those that are kept."""
    path = row_path(folder, run)
    recorded = read_entries(path)["keys"] if path.exists() else None
    if recorded is None or _is_here(project, run):
        rows.kept.append(run)
        return
    difference = run_keys(project, *run).difference(recorded)
    if not difference:
        rows.taken[run] = path
        return
    rows.kept.append(run)
    name = f"{run.method} on {run.dataset}, seed {run.seed}"
    rows.notes.append(f"{name} is trained here: {path} is a row of other keys ({difference}).")


def _made_here(project: Project, taken: Collection[RunKey]) -> list[RunKey]:
    """Return the selected runs that are not taken, and all trainings that these need."""
    selected = [RunKey(*run, seed) for run in project.runs() for seed in project.config.seeds(run[1])]
    pending = [run for run in selected if run not in taken]
    made: dict[RunKey, None] = {}
    while pending:
        run = pending.pop(0)
        if run not in made:
            made[run] = None
            pending += _needed(project, run)
    return list(made)


def _needed(project: Project, run: RunKey) -> Iterator[RunKey]:
    """Yield the trainings that a run's maps are made with, and the runs of the workflow that these begin with."""
    for method, seed in project.source_runs(*run):
        yield RunKey(run.dataset, method, seed)
        start = start_of(project, method)
        first = run_of(project, start.path) if start else None
        if start and first:
            yield RunKey(*first, int(start.path.name.removeprefix("seed")))


def _is_here(project: Project, run: RunKey) -> bool:
    """Tell whether the folder of results has a run, or its scores."""
    folder = project.config.results / run.dataset / "runs" / run.method / f"seed{run.seed}"
    return any((folder / name).exists() for name in (WEIGHTS, SCORES))


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


def keep_row(keys: dict[str, Any], scores: Path, cost: Path | None, tiles: list[Path], path: Path) -> None:
    """Write the finished row of a run.

    Parameters
    ----------
    keys : dict
        Values of its :class:`mtlaerial.pipeline.run_keys.RunKeys`.
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
    DataError
        When a file is damaged, or the row cannot be written.
    """
    measured = load_cost(cost) if cost else None
    device = f"; {measured.device}" if measured else ""
    row = FinishedRow(
        config=fingerprint(keys),
        machine=f"{processor_name()}{device}",
        keys=keys,
        tiles=tile_hashes(tiles),
        cost=measured,
        scores=load_scores(scores),
    )
    save_row(row, path)
