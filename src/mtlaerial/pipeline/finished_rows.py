"""Finished rows of a project: those that it takes instead of training them, and those that it writes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from mtlaerial.config.recipe_overlay import merge_files
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.project_starts import run_of, start_of
from mtlaerial.pipeline.run_keys import RunKeys, run_keys, unidentified_start
from mtlaerial.runs.weights import WEIGHTS
from mtlaerial.scoring.finished_row import Hashes, read_entries, tile_difference, tile_hashes
from mtlaerial.tiles.record import RECORD

SCORES = "scores.json"


class RunKey(NamedTuple):
    """A run of a project."""

    dataset: str
    method: str
    seed: int

    @property
    def text(self) -> str:
        """The run in words."""
        return f"{self.method} on {self.dataset}, seed {self.seed}"


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
        A sentence on each row that is there but is not taken, that is taken with updates that are not known here, and
        on each run whose row cannot be written.
    """

    taken: dict[RunKey, Path] = field(default_factory=dict)
    kept: list[RunKey] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def leave(self, run: RunKey, note: str) -> None:
        """Keep a run that has a row, which is not taken."""
        self.kept.append(run)
        self.notes.append(note)


def row_path(folder: Path, run: RunKey) -> Path:
    """Return the file of a run's row."""
    return folder / run.dataset / f"{run.method}.seed{run.seed}.json"


def find_rows(project: Project) -> FinishedRows:
    """Return the finished rows of a project; none where its configuration has no ``finished``.

    A row is taken where its keys are those of the configuration, prepared tiles that are here already are those of the
    row, and the folder of results has no such run. A run that is there stays, with its maps and figures.

    Raises
    ------
    ConfigError, DataError
        When the file of a row is damaged, or the rate that a budget names is missing.
    """
    rows, folder = FinishedRows(), project.config.finished
    if folder is None:
        return rows
    tiles = cache(lambda dataset: _prepared_hashes(project, dataset))
    unmeasured: dict[RunKey, set[str]] = {}
    for dataset, method in project.runs():
        start = unidentified_start(project, dataset, method)
        if start:
            text = f"No finished row of {method} on {dataset}: no key identifies its initial weights, {start}."
            rows.notes.append(text)
            continue
        for run in (RunKey(dataset, method, seed) for seed in project.config.seeds(method)):
            path = row_path(folder, run)
            recorded = read_entries(path) if path.exists() else None
            if recorded is None or _is_here(project, run):
                rows.kept.append(run)
                continue
            keys = run_keys(project, *run)
            difference = _difference(keys, recorded, tiles(dataset))
            if difference:
                rows.leave(run, f"{run.text} is trained here: {path} is a row of {difference}.")
                continue
            rows.taken[run] = path
            if keys.unmeasured:
                unmeasured[run] = set(keys.unmeasured.values())
    _settle(project, rows, unmeasured)
    return rows


def _settle(project: Project, rows: FinishedRows, unmeasured: Mapping[RunKey, Collection[str]]) -> None:
    """Leave the rows of trainings that are needed here, and of budgets whose rate is going to be measured here.

    Else both would be there at the end of the workflow, whose later jobs would no longer take these rows.
    """
    while True:
        made = _made_here(project, rows.taken)
        for run in made:
            if rows.taken.pop(run, None):
                rows.kept.append(run)
        measured = {(run.dataset, run.method) for run in made}
        pending = {run: methods for run, methods in unmeasured.items() if run in rows.taken}
        joint = {
            run: sorted(name for name in methods if (run.dataset, name) in measured) for run, methods in pending.items()
        }
        unsettled = {run: names for run, names in joint.items() if names}
        if not unsettled:
            rows.notes.extend(_unmeasured_note(run, rows.taken[run]) for run in pending)
            return
        for run, names in unsettled.items():
            path = rows.taken.pop(run)
            rows.leave(run, _measured_note(run, path, names))


def taken_runs(configs: Sequence[Path], recipe: str | None = None) -> set[RunKey]:
    """Return the trainings that finished rows take the place of, from the files of a configuration and a recipe.

    They are those of the rows that are taken, and those of members of ensembles whose rows are taken.

    Raises
    ------
    ConfigError, DataError
        For anything wrong in the configuration, or a damaged row.
    """
    data = merge_files(configs, recipe=recipe)
    if not data.get("finished"):
        return set()
    project = Project.of(data)
    trained_here = _made_here(project, find_rows(project).taken)
    trainings = {RunKey(*run, seed) for run in project.trainings() for seed in project.config.run.seeds}
    return {run for run in trainings.difference(trained_here) if not _is_here(project, run)}


def _difference(keys: RunKeys, recorded: Mapping[str, Any], tiles: Mapping[str, Hashes]) -> str:
    """Return what a row is of instead of the configuration's keys and the tiles that are here; empty if it is not."""
    if difference := keys.difference(recorded["keys"]):
        return f"other keys ({difference})"
    recorded_tiles = recorded.get("tiles", {})
    difference = tile_difference({name: recorded_tiles.get(name) for name in tiles}, tiles)
    return f"another {difference}" if difference else ""


def _prepared_hashes(project: Project, dataset: str) -> dict[str, Hashes]:
    """Return the hashes of the tiles of a data set that are prepared already."""
    sources = {tile: project.tile_source(dataset, tile) for tile in project.dataset(dataset).spec.tiles}
    folders = [project.config.results / source / "tiles" / tile for tile, source in sources.items()]
    return tile_hashes([folder for folder in folders if (folder / RECORD).exists()])


def _unmeasured_note(run: RunKey, path: Path) -> str:
    return (
        f"{run.text} is taken from {path} with the number of updates that its budget became there; "
        "the rate of this machine, which may allow another, is not measured."
    )


def _measured_note(run: RunKey, path: Path, methods: Sequence[str]) -> str:
    rates = f"the rate of {' and '.join(methods)} is measured here, for trainings without a row"
    return (
        f"{run.text} is trained here: {rates}, and may allow another number of updates than {path} has. "
        "To take the row, name the file of the rate that it was trained by in training.budget.rate."
    )


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
