"""Runs that the workflow makes in this folder, and those that are there already."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.project_starts import run_of, start_of
from mtlaerial.runs.weights import WEIGHTS

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


def runs_made_here(project: Project, taken: Collection[RunKey]) -> list[RunKey]:
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


def is_here(project: Project, run: RunKey) -> bool:
    """Tell whether the folder of results has a run, or its scores."""
    folder = project.config.results / run.dataset / "runs" / run.method / f"seed{run.seed}"
    return any((folder / name).exists() for name in (WEIGHTS, SCORES))
