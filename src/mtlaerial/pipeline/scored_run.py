"""Trained runs as rows of a table: their names, and whether they match the data set that they are scored on."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mtlaerial.config import Blend, DatasetSpec, PredictionSpec
from mtlaerial.config.require import require_multiple
from mtlaerial.config.tasks import tasks_with
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.pipeline.fitting_data import require_same_input, require_truth
from mtlaerial.prediction.settings import scored_prediction
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.run import RunDescription, load_description
from mtlaerial.tiles.statistics import ClassStatistics, Statistics


@dataclass(frozen=True)
class ScoredRun:
    """A run that is scored on a data set.

    Attributes
    ----------
    folder : Path
    description : RunDescription
        That of the run, with the names of the scored data set, or of its fold, and of the row, and the classes that are
        scored.
    method : str
        The method's name in its training.
    folder_name : str
        Name of the folder of its maps and scores.
    tiles : tuple of str
        Names of the tiles that it is scored on.
    trained_on : str
        Name of the data set of its training where that is another; else empty.
    """

    folder: Path
    description: RunDescription
    method: str
    folder_name: str
    tiles: tuple[str, ...]
    trained_on: str

    def with_blend(self, blend: Blend | None, recipe: PredictionSpec) -> "ScoredRun":
        """Return the run with the prediction of :func:`mtlaerial.prediction.settings.scored_prediction`."""
        plan = self.description.plan
        prediction = scored_prediction(plan.prediction, blend, recipe)
        for network in self.description.networks:
            require_multiple(f"--blend {blend}, its window", prediction.window, network.plan.model)
        changed = plan.model_copy(update={"prediction": prediction})
        return replace(self, description=self.description.model_copy(update={"plan": changed}))


def scored_runs(folders: Sequence[Path], dataset: Dataset, spec: Path) -> list[ScoredRun]:
    """Return runs as the rows of one table.

    Raises
    ------
    ConfigError, DataError, MismatchError
        When a folder is given twice or holds no run, or a run's bands, range of values or classes are not those of the
        data set, or it has truth for none of the run's tasks.
    """
    twice = [folder for folder, times in Counter(map(Path.resolve, folders)).items() if times > 1]
    if twice:
        raise DataError(twice[0], "a run that is given twice", "each run once", "Leave one out.")
    descriptions = [load_description(folder) for folder in folders]
    for folder, description in zip(folders, descriptions, strict=True):
        require_same_input(folder, description.statistics, dataset.spec, spec)
        require_truth(folder, description, dataset, spec)
    rows: list[ScoredRun] = []
    scored_names = dataset.spec.fold_areas(dataset.name) or (dataset.name,)
    names = row_names(folders, descriptions, scored_names)
    for folder, description, name in zip(folders, descriptions, names, strict=True):
        seed = "" if description.imported else f"_seed{description.plan.seed}"
        slug = re.sub(r"[^\w.-]+", "_", f"{len(rows) + 1}_{name}{seed}").strip("_")
        scored, tiles = _test_tiles(description, dataset, spec)
        row = described_on(description, dataset, scored, name)
        trained_on = "" if description.plan.dataset in scored_names else description.plan.dataset
        rows.append(ScoredRun(folder, row, description.plan.method, slug, tiles, trained_on))
    return rows


def _test_tiles(run: RunDescription, dataset: Dataset, spec: Path) -> tuple[str, tuple[str, ...]]:
    """Return the name of the data set, or of the run's fold of it, and its test tiles."""
    areas, trained_on = dataset.spec.fold_areas(dataset.name), run.plan.dataset
    if trained_on in areas:
        return trained_on, dataset.spec.areas[areas[trained_on]]
    if areas:
        return dataset.name, dataset.spec.tiles
    tiles = dataset.spec.splits.get("test", ())
    if not tiles:
        raise ConfigError(f"{spec}, key splits.test", "no tiles", "at least one tile to score", "List the test tiles.")
    return dataset.name, tiles


def row_names(folders: Sequence[Path], descriptions: Sequence[RunDescription], scored: Collection[str]) -> list[str]:
    """Return the name of each run's row: its method, with the data set that it was trained on if that is another.

    That a run was imported is said too. Runs that cannot be seeds and folds of one method, as their plans differ in
    more than these, or two have the same seed and fold, are named after their folders.

    Parameters
    ----------
    folders : sequence of Path
    descriptions : sequence of RunDescription
    scored : collection of str
        The scored data set; where it has areas, its folds.
    """
    labels = [_label(description, scored) for description in descriptions]
    names = []
    for folder, label in zip(folders, labels, strict=True):
        group = [entry for entry, other in zip(descriptions, labels, strict=True) if other == label]
        own_name = f"{folder.as_posix()} (imported)" if group[0].imported else folder.as_posix()
        names.append(label if _of_one_method(group) else own_name)
    return names


def _label(description: RunDescription, scored: Collection[str]) -> str:
    plan = description.plan
    remarks = ["imported"] if description.imported else []
    remarks += [] if plan.dataset in scored else [plan.dataset]
    return f"{plan.method} ({', '.join(remarks)})" if remarks else plan.method


def _of_one_method(runs: Sequence[RunDescription]) -> bool:
    """Tell whether runs differ in their seeds and folds alone, and no two have the same."""
    # The plan of an ensemble has its prediction, those of its networks have the trainings.
    plans = [[_without_seed(each) for each in (run, *run.networks)] for run in runs]
    tiles = {run.plan.dataset: run.statistics.tiles for run in runs}
    origins = [(plan, run.imported, run.heights) for plan, run in zip(plans, runs, strict=True)]
    alike = all(origin == origins[0] for origin in origins)
    distinct = len({(run.plan.dataset, run.plan.seed) for run in runs}) == len(runs)
    return alike and distinct and all(run.statistics.tiles == tiles[run.plan.dataset] for run in runs)


def _without_seed(run: RunDescription) -> RunPlan:
    """Return a run's plan without what the seeds and folds of a method differ in."""
    return run.plan.model_copy(update={"seed": 0, "dataset": ""})


def described_on(run: RunDescription, dataset: Dataset, scored: str, name: str) -> RunDescription:
    """Return a run's description under the names of its row and of what it is scored on, with the classes of that."""
    spec = dataset.spec
    classes = _classes(run.statistics, spec) if spec.labels and not tasks_with("classes", run.plan.tasks) else None
    return renamed(run, spec, scored, name, classes)


def renamed(
    run: RunDescription, spec: DatasetSpec, scored: str, name: str, classes: tuple[ClassStatistics, ...] | None = None
) -> RunDescription:
    """Return a run's description under the names of its row and of what it is scored on; with its classes by default.

    Parameters
    ----------
    run : RunDescription
    spec : DatasetSpec
        What it is scored on.
    scored, name : str
        Names of the data set, or of its fold, and of the row.
    classes : tuple of ClassStatistics, optional
        The classes that are scored.
    """
    plan = run.plan.model_copy(update={"dataset": scored, "method": name})
    changes: dict[str, Any] = {"dataset": scored, "title": spec.title, "generated": spec.generated}
    if classes is not None:
        changes["classes"] = classes
    statistics = run.statistics.model_copy(update=changes)
    return run.model_copy(update={"plan": plan, "statistics": statistics})


def _classes(statistics: Statistics, dataset: DatasetSpec) -> tuple[ClassStatistics, ...]:
    """Return a data set's classes, for errors of height by class; pixels only where they are those of the run."""
    assert dataset.labels is not None
    if [entry.name for entry in statistics.classes] == [entry.name for entry in dataset.labels.classes]:
        return statistics.classes
    return tuple(ClassStatistics(name=entry.name, colour=entry.colour, pixels=0) for entry in dataset.labels.classes)
