"""The project: the runs of a configuration, their plans, and the files of their data sets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mtlaerial.config import DatasetEntry, ProjectConfig, Recipe, Task, merge, parse_project
from mtlaerial.config.project import require_tasks
from mtlaerial.datasets.archives import Archive
from mtlaerial.datasets.catalog import Dataset, Missing
from mtlaerial.errors import ConfigError
from mtlaerial.runs.plan import RunPlan

SHOWN = 4
"""Missing files listed per data set and layer."""


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

    def runs(self) -> list[tuple[str, str]]:
        """Return the selected pairs of data set and method."""
        return [(dataset, method) for dataset in self.datasets for method in self.config.run.methods]

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
        spec = self.config.methods[method]
        return RunPlan(
            dataset=dataset,
            method=method,
            seed=seed,
            tasks=self.tasks(dataset, method),
            weighting=spec.weighting,
            model=self.config.models[spec.model],
            training=self.recipe(dataset, method).training,
        )

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
                parts.append(_missing_text(dataset, gaps))
        return "\n\n".join(parts)


def _dataset(name: str, entry: DatasetEntry) -> Dataset:
    dataset = Dataset.of(entry.spec, entry.root, name, entry.generate is not None)
    spec = dataset.spec.holding_out(entry.hold_out, f"datasets.{name}.hold_out")
    return replace(dataset, spec=spec.model_copy(update={"recipe": merge(spec.recipe, entry.recipe)}))


def _missing_text(dataset: Dataset, gaps: list[Missing]) -> str:
    lines = [f"Data set {dataset.name} ({dataset.spec.title}): {len(gaps)} required files are missing."]
    for layer in dict.fromkeys(gap.layer for gap in gaps):
        of_layer = [gap for gap in gaps if gap.layer == layer]
        paths = list(dict.fromkeys(str(gap.looked_for[0]) for gap in of_layer))
        others = dict.fromkeys(pattern for gap in of_layer for pattern in gap.accepted[1:])
        lines.append(f"  {layer}: {len(of_layer)} missing; looked for")
        lines += [f"    {path}" for path in paths[:SHOWN]]
        lines += [f"    … and {len(paths) - SHOWN} more"] if len(paths) > SHOWN else []
        lines += [f"    Also accepted: {', '.join(others)}"] if others else []
        lines += [f"    {source}"] if (source := dataset.obtain(layer)) else []
    if len(dataset.spec.folders) > 1:
        places = (str(dataset.root / folder) for folder in dataset.spec.folders)
        lines.append(f"  Each may lie below {' or '.join(places)}.")
    lines.append(f"  Where to get it: {dataset.spec.obtain}")
    lines += filter(None, map(_archive_text, dataset.archives))
    lines.append(f"  Put it into {dataset.root}, or set datasets.{dataset.name}.root in the configuration.")
    return "\n".join(lines)


def _archive_text(archive: Archive) -> str:
    """Return a line on an archive that is missing, or whose files are; else an empty string."""
    spec = archive.spec
    if archive.mark.exists():
        lost = len(archive.members) - len(archive.provided)
        gone = f"  Of {spec.file}, {lost} unpacked files are gone; delete {archive.mark} to unpack it again"
        return gone if lost else ""
    if archive.path:
        return ""
    hashes = "".join(f"; {algorithm.upper()} {value}" for algorithm, value in spec.published.items())
    return (
        f"  {'Optional archive' if spec.optional else 'Archive'} {spec.file}: {spec.holds}{hashes}\n"
        f"    Get it from {spec.page} and put it into {archive.root}; it is verified and unpacked by the workflow."
    )
