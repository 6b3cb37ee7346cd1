"""The project as the workflow sees it: what runs, on which files, and what each step depends on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtlaerial.config import DatasetSpec, ProjectConfig, Recipe, Task, load_dataset, parse_project
from mtlaerial.config.project import require_tasks
from mtlaerial.datasets.catalog import Dataset, Missing

SHOWN = 4
"""Missing files listed per data set and layer."""


@dataclass(frozen=True)
class Project:
    """A configuration with the specifications of the data sets it runs.

    Attributes
    ----------
    config : ProjectConfig
    datasets : dict of name to Dataset
        The selected ones.
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
        project = cls(config, {n: Dataset(n, load_dataset(e.spec), e.root) for n, e in entries.items()})
        for dataset, method in project.runs():
            project.recipe(dataset, method)
            project.tasks(dataset, method)
        return project

    def runs(self) -> list[tuple[str, str]]:
        """Return the selected pairs of data set and method."""
        return [(dataset, method) for dataset in self.datasets for method in self.config.run.methods]

    def recipe(self, dataset: str, method: str | None = None) -> Recipe:
        """Return the recipe in force for a data set and a method."""
        return self.config.recipe(self.datasets[dataset].spec.recipe, method)

    def tasks(self, dataset: str, method: str) -> tuple[Task, ...]:
        """Return the tasks a method learns on a data set: those that there is ground truth for."""
        return require_tasks(method, self.config.methods[method].tasks, self.datasets[dataset].tasks, dataset)

    def plan(self, dataset: str, method: str, seed: int) -> dict[str, Any]:
        """Return a run's plan as plain data; see :class:`mtlaerial.runs.RunPlan`."""
        recipe, spec = self.recipe(dataset, method), self.config.methods[method]
        return {
            "dataset": dataset,
            "method": method,
            "seed": seed,
            "tasks": list(self.tasks(dataset, method)),
            "weighting": spec.weighting.model_dump(mode="json"),
            "model": self.config.models[spec.model].model_dump(mode="json"),
            "training": recipe.training.model_dump(mode="json"),
        }

    def tile_data(self, dataset: str, tile: str) -> dict[str, Any]:
        """Return what checking and preparing one tile depend on, as plain data; see :func:`dataset_of`."""
        spec = self.datasets[dataset].spec
        layout = {"gsd", "crs", "image", "height", "labels", "grid", "footprints", "generated"}
        return self._data(dataset, layout, {spec.split_of(tile): [tile]})

    def training_data(self, dataset: str) -> dict[str, Any]:
        """Return what the statistics of the training tiles depend on, as plain data; see :func:`dataset_of`."""
        said = {"title", "licence", "citation", "generated", "gsd", "image", "height", "labels", "grid", "footprints"}
        return self._data(dataset, said, {"train": list(self.datasets[dataset].spec.splits["train"])})

    def layout_data(self, dataset: str) -> dict[str, Any]:
        """Return what the figure of the tiles depends on, as plain data; see :func:`dataset_of`."""
        said = {"title", "generated", "gsd", "crs", "image", "height", "labels", "grid", "footprints"}
        return self._data(dataset, said, self.datasets[dataset].spec.model_dump(mode="json")["splits"])

    def _data(self, dataset: str, keys: set[str], splits: dict[str, list[str]]) -> dict[str, Any]:
        unsaid = {"title": dataset, "licence": "see the specification", "obtain": "See the specification."}
        spec = {**unsaid, **self.datasets[dataset].spec.model_dump(mode="json", include=keys), "splits": splits}
        return {"name": dataset, "root": self.config.datasets[dataset].root.as_posix(), "spec": spec}

    def missing(self) -> str:
        """Say which files of the selected data sets are missing, where they were looked for, and where to get them."""
        parts = []
        for name, dataset in self.datasets.items():
            if self.config.datasets[name].generate is None and (gaps := dataset.missing()):
                parts.append(_missing_text(dataset, gaps))
        return "\n\n".join(parts)


def dataset_of(data: Mapping[str, Any]) -> Dataset:
    """Build a data set from the plain data that a rule depends on."""
    return Dataset(data["name"], DatasetSpec.parse(data["spec"], data["name"]), Path(data["root"]))


def _missing_text(dataset: Dataset, gaps: list[Missing]) -> str:
    lines = [f"Data set {dataset.name} ({dataset.spec.title}): {len(gaps)} required files are missing."]
    for layer in dict.fromkeys(gap.layer for gap in gaps):
        of_layer = [gap for gap in gaps if gap.layer == layer]
        paths = list(dict.fromkeys(" or ".join(map(str, gap.looked_for)) for gap in of_layer))
        lines.append(f"  {layer}: {len(of_layer)} missing; looked for")
        lines += [f"    {path}" for path in paths[:SHOWN]]
        lines += [f"    … and {len(paths) - SHOWN} more"] if len(paths) > SHOWN else []
    lines.append(f"  Where to get it: {dataset.spec.obtain}")
    lines.append(f"  Put it into {dataset.root}, or set datasets.{dataset.name}.root in the configuration.")
    return "\n".join(lines)
