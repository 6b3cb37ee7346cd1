"""The part of the rules' ``params`` that scripts read besides, and the readers of both parts.

It is plain data, which Snakemake can hand to jobs on other machines.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtlaerial.config import DatasetSpec, load_dataset, merge
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.project_starts import start_of
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.recipe_record import RecipeRecord

Params = dict[str, Any]


@dataclass(frozen=True)
class Context:
    """Everything that a script reads, whether it decides the result or not: a method per rule.

    Its change repeats nothing: the deciding part of it is in :class:`mtlaerial.pipeline.decisive_params.Decisive` too,
    whose change repeats the job. A key moved from there to here would leave stale results.
    """

    project: Project

    def synthesise(self, root: str) -> Params:
        """Return the data set as its specification describes it, without changes by the configuration."""
        entry = self.project.config.datasets[self.project.generated[root]]
        return _record(Dataset(Path(root).name, load_dataset(entry.spec), Path(root)))

    def unpack_archive(self, mark: str) -> Params:
        """Return the archive: its file, published hashes and page."""
        archive = self.project.archives[f"{mark}.json"]
        return {"archive": archive.spec.model_dump(mode="json"), "root": archive.root.as_posix()}

    def fetch_pretrained(self, weights: str) -> Params:
        """Return the addresses and the hash of published weights."""
        return self.project.config.pretrained[weights].model_dump(mode="json")

    def check_tile(self, dataset: str, tile: str) -> Params:
        """Return the data set."""
        return _record(self.project.dataset(dataset))

    def locate_held_out(self, dataset: str) -> Params:
        """Return the data set."""
        return _record(self.project.dataset(dataset))

    def prepare_tile(self, dataset: str, tile: str) -> Params:
        """Return the data set."""
        return _record(self.project.dataset(dataset))

    def summarise_tiles(self, dataset: str) -> Params:
        """Return the data set."""
        return _record(self.project.dataset(dataset))

    def measure_rate(self, dataset: str, method: str) -> Params:
        """Return the data set and the plan."""
        return self.describe_run(dataset, method, seed="0")

    def train(self, dataset: str, method: str, seed: str) -> Params:
        """Return data set, the rest of the plan, places of resume files and dashboard, loggers, the start's origin."""
        places = self.project.config.model_dump(mode="json", include={"resume", "dashboard", "loggers"})
        start = start_of(self.project, method)
        record = start.record.model_dump(mode="json") if start and start.record else None
        path = start.path.as_posix() if start else None
        return {**self.describe_run(dataset, method, seed), **places, "start": record, "pretrained": path}

    def describe_run(self, dataset: str, method: str, seed: str) -> Params:
        """Return the data set and the plan."""
        plan = self.project.plan(dataset, method, int(seed))
        return {**_record(self.project.dataset(dataset)), "plan": plan.model_dump(mode="json")}

    def layout_figure(self, dataset: str) -> Params:
        """Return the data set."""
        return _record(self.project.dataset(dataset))

    def predict_transfer(self, dataset: str, method: str, seed: str, tested: str) -> Params:
        """Return the tested data set."""
        return _record(self.project.dataset(tested))

    def score_transfer(self, dataset: str, method: str, seed: str, tested: str) -> Params:
        """Return the tested data set."""
        return _record(self.project.dataset(tested))

    def report(self) -> Params:
        """Return the data sets."""
        return {name: _record(dataset) for name, dataset in self.project.sources.items()}


def _record(dataset: Dataset) -> Params:
    spec = dataset.spec.model_dump(mode="json")
    return {"name": dataset.name, "spec": spec, "root": dataset.root.as_posix()}


def dataset_in(context: Mapping[str, Any]) -> Dataset:
    """Return the data set that a job's context holds."""
    return Dataset(context["name"], DatasetSpec.parse(context["spec"], context["name"]), Path(context["root"]))


def plan_in(params: Mapping[str, Any]) -> RunPlan:
    """Return the plan of a run: decisive keys from ``decisive``, the others from ``context``."""
    # The last wins, so that a run is what its decisive params say.
    plan = merge(params["context"]["plan"], params["decisive"]["plan"])
    return RunPlan.parse(plan, "plan")


def recipe_in(params: Mapping[str, Any]) -> RecipeRecord | None:
    """Return the recipe that the decisive params of ``describe_run`` hold; None without one."""
    recipe = params["decisive"].get("recipe")
    return RecipeRecord.parse(recipe, "recipe") if recipe else None
