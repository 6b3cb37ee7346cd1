"""Budgets of the trainings of a report: minutes, updates, and the machine that was measured."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from mtlaerial.runs.run import RunDescription, read_description


def budgets(folders: Iterable[Path], folds: Mapping[str, str]) -> dict[str, list[str]]:
    """Return a line on each budget, and on seeds of a method with different numbers of updates, by data set.

    Parameters
    ----------
    folders : iterable of Path
        Folders of runs.
    folds : mapping of fold to data set

    Raises
    ------
    ConfigError, DataError
        When a folder has no run's description.
    """
    rows: dict[tuple[str, str], dict[int, RunDescription]] = {}
    for folder in folders:
        for run in read_description(folder).networks:  # members of ensembles too, which may be no rows themselves
            rows.setdefault((run.plan.dataset, run.plan.method), {})[run.plan.seed] = run
    lines: dict[str, list[str]] = {}
    for (dataset, method), runs in rows.items():
        described = _lines(dataset, method, list(runs.values()), dataset in folds)
        lines.setdefault(folds.get(dataset, dataset), []).extend(described)
    return lines


def _lines(dataset: str, method: str, runs: list[RunDescription], of_fold: bool) -> list[str]:
    """Return lines on the runs of a method: one, or one for each different budget of its seeds."""
    texts: dict[str, list[str]] = {}
    for run in runs:
        text = run.budget.text if run.budget else "no budget"
        texts.setdefault(text, []).append(str(run.plan.seed))
    if not any(run.budget for run in runs):
        return []
    name = f"{method} ({dataset})" if of_fold else method
    if len(texts) == 1:
        return [f"{name}: {text}" for text in texts]
    return [f"{name}, seed {', '.join(seeds)} (the seeds differ): {text}" for text, seeds in texts.items()]
