"""The project: the runs of a configuration, their plans, and the files of their data sets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mtlaerial.config import DatasetEntry, ProjectConfig, Recipe, Task, merge, parse_project
from mtlaerial.config.require import require_tasks
from mtlaerial.config.selection import lacking_truth, methods_on, trained_on, truth_notes
from mtlaerial.datasets.archives import Archive
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError
from mtlaerial.pipeline.missing_files import missing_text
from mtlaerial.pipeline.plan_run import plan_run
from mtlaerial.runs.plan import RunPlan


@dataclass(frozen=True)
class Project:
    """A configuration and the specifications of the selected data sets.

    Attributes
    ----------
    config : ProjectConfig
    datasets : dict of name to Dataset
        The selected data sets.
    """

    config: ProjectConfig
    datasets: dict[str, Dataset]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Project":
        """Build from a merged configuration.

        Raises
        ------
        ConfigError
            For anything unknown or wrong in the configuration, a specification, or the two together.
        """
        config = parse_project(data)
        entries = {name: config.datasets[name] for name in config.run.datasets}
        project = cls(config, {name: _dataset(name, entry) for name, entry in entries.items()})
        for dataset, method in project.runs():
            project.tasks(dataset, method)
            project.require_validation(dataset, method)
        return project

    def methods(self, dataset: str) -> tuple[str, ...]:
        """Return the methods that run on a data set."""
        return methods_on(self.config, dataset, self.datasets[dataset].spec)

    def runs(self) -> list[tuple[str, str]]:
        """Return the pairs of data set and method that run."""
        return [(dataset, method) for dataset in self.datasets for method in self.methods(dataset)]

    def trainings(self) -> list[tuple[str, str]]:
        """Return the pairs of data set and method that are trained, also for methods with ``trained_as``."""
        trained = {name: trained_on(self.config, name, dataset.spec) for name, dataset in self.datasets.items()}
        return [(dataset, method) for dataset, methods in trained.items() for method in methods]

    def lacking_truth(self, dataset: str) -> dict[str, tuple[Task, ...]]:
        """Return the tasks of the methods selected for a data set that it has no ground truth for."""
        return lacking_truth(self.config, dataset, self.datasets[dataset].spec)

    def notes(self) -> list[str]:
        """Return a sentence on each method that is left out on a data set, or learns fewer tasks there."""
        return [
            note for name in self.datasets for note in truth_notes(self.lacking_truth(name), self.methods(name), name)
        ]

    def recipe(self, dataset: str, method: str | None = None) -> Recipe:
        """Return the recipe in force for a data set and a method."""
        return self.config.recipe(self.datasets[dataset].spec.recipe, method)

    def tasks(self, dataset: str, method: str) -> tuple[Task, ...]:
        """Return the tasks of a method that a data set has ground truth for."""
        return require_tasks(method, self.config.methods[method].tasks, self.datasets[dataset].tasks, dataset)

    def require_validation(self, dataset: str, method: str) -> None:
        """Refuse the selection of the best weights without validation tiles.

        Raises
        ------
        ConfigError
            When ``training.selection`` is ``best`` and the data set has no validation tiles.
        """
        validated = bool(self.datasets[dataset].spec.splits.get("val"))
        if self.recipe(dataset, method).training.selection == "best" and not validated:
            selection = f"best for {method} on {dataset}, which has no validation tiles"
            remedy = f"List training tiles in datasets.{dataset}.hold_out, or select last."
            raise ConfigError("training.selection", selection, "last, or validation tiles", remedy)

    def check_weightings(self) -> None:
        """Refuse wrong options of the weightings of the selected methods; only options load torch.

        Raises
        ------
        ConfigError
            For an option that is unknown, wrong, or missing.
        """
        chosen = [run for run in self.runs() if self.config.methods[run[1]].weighting.needs_check]
        for dataset, method in chosen:
            from mtlaerial.weighting import build_weighting

            try:
                build_weighting(self.config.methods[method].weighting, self.tasks(dataset, method))
            except ConfigError as error:
                where = f"methods.{method}: {error.where}"
                raise ConfigError(where, error.found, error.expected, error.remedy) from None

    def plan(self, dataset: str, method: str, seed: int) -> RunPlan:
        """Return a run's plan."""
        return plan_run(self.config, self.datasets[dataset], method, seed)

    @property
    def generated(self) -> dict[str, str]:
        """The names of the data sets that are generated, by their folders."""
        entries = {name: self.config.datasets[name] for name in self.datasets}
        return {entry.root.as_posix(): name for name, entry in entries.items() if entry.generate}

    @property
    def archives(self) -> dict[str, Archive]:
        """The archives of the data sets that are not generated, by the paths of their marks."""
        expected = [dataset for name, dataset in self.datasets.items() if not self.config.datasets[name].generate]
        return {archive.mark.as_posix(): archive for dataset in expected for archive in dataset.archives}

    def missing(self) -> str:
        """List the missing files of the selected data sets, the searched paths and their sources; empty if none."""
        parts = []
        for name, dataset in self.datasets.items():
            if self.config.datasets[name].generate is None and (gaps := dataset.missing()):
                parts.append(missing_text(dataset, gaps))
        return "\n\n".join(parts)


def _dataset(name: str, entry: DatasetEntry) -> Dataset:
    dataset = Dataset.of(entry.spec, entry.root, name, entry.generate is not None)
    spec = dataset.spec.holding_out(entry.hold_out, f"datasets.{name}.hold_out")
    return replace(dataset, spec=spec.model_copy(update={"recipe": merge(spec.recipe, entry.recipe)}))
