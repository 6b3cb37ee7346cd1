"""Finished rows of a project: those that it takes instead of training them, and those that it writes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mtlaerial.config.configuration_files import merged_configuration
from mtlaerial.errors import UserError
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.run_keys import RunKeys, run_keys, unidentified_start
from mtlaerial.pipeline.runs_here import RunKey, is_here, runs_made_here
from mtlaerial.scoring.finished_row import Hashes, read_entries, tile_difference, tile_hashes

HashesOf = Callable[[str], Mapping[str, Hashes]]
"""Hashes of the layers of the prepared tiles of a data set, by tile."""


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
    hashes_of = cache(lambda dataset: _prepared_hashes(project, dataset))
    unmeasured: dict[RunKey, Collection[str]] = {}
    for dataset, method in project.runs():
        start = unidentified_start(project, dataset, method)
        if start:
            text = f"No finished row of {method} on {dataset}: no key identifies its initial weights, {start}."
            rows.notes.append(text)
            continue
        for seed in project.config.seeds(method):
            run = RunKey(dataset, method, seed)
            unmeasured[run] = _sort(project, rows, run, row_path(folder, run), hashes_of)
    _settle(project, rows, unmeasured)
    return rows


def _sort(project: Project, rows: FinishedRows, run: RunKey, path: Path, hashes_of: HashesOf) -> Collection[str]:
    """Put a run among those that are taken or those that are kept; return methods whose rate its row depends on."""
    recorded = read_entries(path) if path.exists() else None
    if recorded is None or is_here(project, run):
        rows.kept.append(run)
        return ()
    keys = run_keys(project, *run)
    difference = _difference(keys, recorded, hashes_of(run.dataset))
    if difference:
        rows.leave(run, f"{run.text} is trained here: {path} is a row of {difference}.")
        return ()
    rows.taken[run] = path
    return set(keys.unmeasured.values())


def _settle(project: Project, rows: FinishedRows, unmeasured: Mapping[RunKey, Collection[str]]) -> None:
    """Leave the rows of trainings that are needed here, and of budgets whose rate is going to be measured here.

    Else both would be there at the end of the workflow, whose later jobs would no longer take these rows.
    """
    while True:
        trained = runs_made_here(project, rows.taken)
        for run in trained:
            if rows.taken.pop(run, None):
                rows.kept.append(run)
        measured = {(run.dataset, run.method) for run in trained}
        pending = {run: methods for run, methods in unmeasured.items() if methods and run in rows.taken}
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


def taken_runs(
    configs: Sequence[Path], recipe: str | None = None, settings: Mapping[str, Any] | None = None
) -> set[RunKey]:
    """Return the trainings that finished rows take the place of, by a configuration, a recipe and settings.

    They are those of the rows that are taken, and those of members of ensembles whose rows are taken.

    Raises
    ------
    ConfigError, DataError
        For anything wrong in the configuration, or a damaged row.
    """
    data = merged_configuration(configs, recipe, settings)
    if not data.get("finished"):
        return set()
    project = Project.of(data)
    trained_here = runs_made_here(project, find_rows(project).taken)
    trainings = {RunKey(*run, seed) for run in project.trainings() for seed in project.config.run.seeds}
    return {run for run in trainings.difference(trained_here) if not is_here(project, run)}


def _difference(keys: RunKeys, recorded: Mapping[str, Any], tiles: Mapping[str, Hashes]) -> str:
    """Return what a row is of instead of the configuration's keys and the tiles that are here; empty if it is not."""
    if difference := keys.difference(recorded["keys"]):
        return f"other keys ({difference})"
    recorded_tiles = recorded.get("tiles", {})
    difference = tile_difference({name: recorded_tiles.get(name) for name in tiles}, tiles)
    return f"another {difference}" if difference else ""


def _prepared_hashes(project: Project, dataset: str) -> dict[str, Hashes]:
    """Return the hashes of the tiles of a data set that are prepared already."""
    hashes: dict[str, Hashes] = {}
    for tile in project.dataset(dataset).spec.tiles:
        folder = project.config.results / project.tile_source(dataset, tile) / "tiles" / tile
        with suppress(UserError):  # not prepared yet, or to be prepared anew, as the jobs that read it say
            hashes |= tile_hashes([folder])
    return hashes


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
