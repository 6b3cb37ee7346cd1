"""The project: the runs of a configuration, their plans, and the files of their data sets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from mtlaerial.config import DatasetEntry, ProjectConfig, Recipe, Task, parse_project
from mtlaerial.config.class_names import recipe_on
from mtlaerial.config.hold_out import with_validation_tiles
from mtlaerial.config.recipes_of_methods import recipe_notes
from mtlaerial.config.require import require_tasks
from mtlaerial.config.selection import methods_on, selection_notes, sources_of, trained_on, weights_of
from mtlaerial.config.transfer import require_transfers
from mtlaerial.datasets.archives import Archive
from mtlaerial.datasets.buffer import held_out_of
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError
from mtlaerial.pipeline.missing_files import missing_text
from mtlaerial.pipeline.plan_run import plan_run
from mtlaerial.runs.ensemble_file import EnsemblePlan
from mtlaerial.runs.plan import RunPlan


@dataclass(frozen=True)
class Project:
    """A configuration and the specifications of the selected data sets.

    Attributes
    ----------
    config : ProjectConfig
    sources : dict of name to Dataset
        The selected data sets, as their files are: what is checked and prepared.
    """

    config: ProjectConfig
    sources: dict[str, Dataset]

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
        project.require_distinct_folds()
        for dataset, method in project.runs():
            project.tasks(dataset, method)
            project.recipe(dataset, method)
        require_transfers(config.run.transfer, {name: source.spec for name, source in project.sources.items()})
        for dataset, method in project.trainings():
            project.require_validation(dataset, method)
        return project

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        """Data sets to train and test on: those with fixed splits, and the folds of those with areas."""
        datasets: dict[str, Dataset] = {}
        for name, source in self.sources.items():
            key, hold_out = f"datasets.{name}.hold_out", self.config.datasets[name].hold_out
            folds = {fold: source.fold(area, hold_out, key) for fold, area in source.spec.fold_areas(name).items()}
            datasets |= folds or {name: source}
        return datasets

    @cached_property
    def folds(self) -> dict[str, str]:
        """The data set that each fold belongs to, by the fold's name."""
        return {fold: name for name, source in self.sources.items() for fold in source.spec.fold_areas(name)}

    def source(self, dataset: str) -> str:
        """Return the name of the data set that a fold belongs to; of a data set itself its own."""
        return self.folds.get(dataset, dataset)

    def dataset(self, name: str) -> Dataset:
        """Return a data set or a fold."""
        return self.datasets[name] if name in self.datasets else self.sources[name]

    def tile_source(self, dataset: str, tile: str) -> str:
        """Return the data set that a tile is prepared for; its fold where a buffer takes truth of the tile."""
        held_out = held_out_of(self.dataset(dataset), tile)
        return dataset if held_out else self.source(dataset)

    def require_distinct_folds(self) -> None:
        """Refuse a fold with the name of a data set: their results would share a folder.

        Raises
        ------
        ConfigError
            When there is one.
        """
        for fold, name in self.folds.items():
            if fold in self.config.datasets:
                remedy = f"Rename the data set {fold}, or the area."
                raise ConfigError(f"datasets.{name}, areas", f"a fold {fold}", "a name that no data set has", remedy)

    def methods(self, dataset: str) -> tuple[str, ...]:
        """Return the methods that run on a data set or a fold."""
        return methods_on(self.config, self.source(dataset), self.dataset(dataset).spec)

    def runs(self) -> list[tuple[str, str]]:
        """Return the pairs of data set and method that run."""
        return [(dataset, method) for dataset in self.datasets for method in self.methods(dataset)]

    def trainings(self) -> list[tuple[str, str]]:
        """Return the pairs of data set and method that are trained, also those for other predictions and ensembles."""
        trained = {
            name: trained_on(self.config, self.source(name), dataset.spec) for name, dataset in self.datasets.items()
        }
        return [(dataset, method) for dataset, methods in trained.items() for method in methods]

    def weights_of(self, dataset: str, method: str) -> str:
        """Return the method whose training a method takes its weights from; itself where it is trained."""
        return weights_of(self.config, self.source(dataset), self.dataset(dataset).spec, method)

    def sources_of(self, dataset: str, method: str) -> tuple[str, ...]:
        """Return the methods whose trainings a method's maps are made with; of an ensemble its members."""
        return sources_of(self.config, self.source(dataset), self.dataset(dataset).spec, method)

    def source_runs(self, dataset: str, method: str, seed: int) -> list[tuple[str, int]]:
        """Return method and seed of the trained runs that a run's maps are made with; of an ensemble its members."""
        ensemble = self.config.methods[method].ensemble
        seeds = self.config.run.seeds if ensemble and ensemble.seeds == "all" else (seed,)
        return [(source, number) for source in self.sources_of(dataset, method) for number in seeds]

    def notes(self) -> list[str]:
        """Return a sentence on each method that is left out on a data set, or learns fewer tasks there; and on recipes.

        Of a recipe that a method names, some keys may not apply to it.
        """
        sources = self.sources.items()
        notes = [note for name, source in sources for note in selection_notes(self.config, name, source.spec)]
        selected = dict.fromkeys(method for _, method in [*self.runs(), *self.trainings()])
        return [*notes, *recipe_notes(self.config.methods, selected)]

    def recipe(self, dataset: str, method: str | None = None) -> Recipe:
        """Return the recipe in force for a data set and a method."""
        return recipe_on(self.config, dataset, self.dataset(dataset).spec, method, self.source(dataset))

    def tasks(self, dataset: str, method: str) -> tuple[Task, ...]:
        """Return the tasks of a method that a data set has ground truth for."""
        return require_tasks(method, self.config.methods[method].tasks, self.dataset(dataset).spec, dataset)

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
            remedy = f"List training tiles in datasets.{self.source(dataset)}.hold_out, or select last."
            raise ConfigError("training.selection", selection, "last, or validation tiles", remedy)

    def check_weightings(self) -> None:
        """Refuse wrong options of the weightings of the selected methods; only these load torch.

        Raises
        ------
        ConfigError
            For an option that is unknown, wrong, or missing.
        """
        chosen = [run for run in self.trainings() if self.config.methods[run[1]].weighting.needs_check]
        for dataset, method in chosen:
            from mtlaerial.weighting import build_weighting

            try:
                build_weighting(self.config.methods[method].weighting, self.tasks(dataset, method))
            except ConfigError as error:
                where = f"methods.{method}: {error.where}"
                raise ConfigError(where, error.found, error.expected, error.remedy) from None

    def plan(self, dataset: str, method: str, seed: int) -> RunPlan:
        """Return a run's plan."""
        return plan_run(self.config, self.datasets[dataset], method, seed, self.source(dataset))

    def ensemble_plan(self, dataset: str, method: str, seed: int) -> EnsemblePlan:
        """Return the plan of an ensemble."""
        prediction = self.recipe(dataset, method).prediction
        tasks, ensemble = self.tasks(dataset, method), self.config.methods[method].ensemble
        assert ensemble is not None
        return EnsemblePlan(
            dataset=dataset, method=method, seed=seed, tasks=tasks, prediction=prediction, heights=ensemble.heights
        )

    @property
    def generated(self) -> dict[str, str]:
        """The names of the data sets that are generated, by their folders."""
        entries = {name: self.config.datasets[name] for name in self.sources}
        return {entry.root.as_posix(): name for name, entry in entries.items() if entry.generate}

    @property
    def archives(self) -> dict[str, Archive]:
        """The archives of the data sets that are not generated, by the paths of their marks."""
        expected = [dataset for name, dataset in self.sources.items() if not self.config.datasets[name].generate]
        return {archive.mark.as_posix(): archive for dataset in expected for archive in dataset.archives}

    def require_one_place(self) -> None:
        """Refuse files of a data set in two folders that could both be meant.

        Raises
        ------
        DataError
        """
        for name, dataset in self.sources.items():
            if self.config.datasets[name].generate is None:
                dataset.require_one_place()

    def missing(self) -> str:
        """List the missing files of the selected data sets, the searched paths and their sources; empty if none."""
        parts = []
        for name, dataset in self.sources.items():
            if self.config.datasets[name].generate is None and (gaps := dataset.missing()):
                parts.append(missing_text(dataset, gaps))
        return "\n\n".join(parts)


def _dataset(name: str, entry: DatasetEntry) -> Dataset:
    dataset = Dataset.of(entry.spec, entry.root, name, entry.generate)
    if dataset.spec.areas:
        return dataset
    return replace(dataset, spec=with_validation_tiles(dataset.spec, entry.hold_out, f"datasets.{name}.hold_out"))
