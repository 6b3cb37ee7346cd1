"""Keys that decide the scores of a run, over all stages: by them a finished row is known to be this run's."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from mtlaerial.config import Section
from mtlaerial.config.decisive_keys import decisive, default_keys, flat_keys
from mtlaerial.config.start import SHIPPED
from mtlaerial.errors import UserError
from mtlaerial.pipeline.decisive_params import Decisive
from mtlaerial.pipeline.project import Project
from mtlaerial.runs.budget import spent_budget
from mtlaerial.runs.plan import RunPlan, fingerprint

SHOWN = 3
"""Most differing keys that a text names."""
_ABSENT = object()
_TRAINING = ".plan.training."
_PATCHES, _BUDGET = "epoch_patches", "budget"


@dataclass(frozen=True)
class RunKeys:
    """The keys that decide a run's scores, with dots.

    Attributes
    ----------
    values : dict
        Plain data, as JSON gives it back. Folders and times of files are none: they differ from checkout to checkout.
    defaults : dict
        Default values of those that have one.
    unmeasured : dict of str to str
        Trainings of ``values`` whose budget no rate has turned into a number of updates yet, and their methods.
    """

    values: Mapping[str, Any]
    defaults: Mapping[str, Any]
    unmeasured: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Hash of the keys that are not at their defaults, so that a key of a later version does not change it."""
        keys = [key for key, value in self.values.items() if self._is_compared(key) and not self._is_default(key)]
        return fingerprint({key: self.values[key] for key in keys})

    def difference(self, recorded: Mapping[str, Any]) -> str:
        """Return how they differ from those that a row recorded; empty if they do not.

        A key that a later version added counts as recorded with its default, so that it repeats no row; a default that
        was changed since does not, as rows record all keys. Of a training with a budget the number of updates counts,
        whatever minutes it follows from; where no rate tells it yet, the minutes.
        """
        keys = filter(self._is_compared, {**recorded, **self.values})
        changed = [key for key in keys if not self._is_recorded(key, recorded)]
        changes = [f"{key} {recorded.get(key)} instead of {self.values.get(key)}" for key in changed[:SHOWN]]
        more = [f"{len(changed) - SHOWN} more keys"] if len(changed) > SHOWN else []
        return ", ".join([*changes, *more])

    def with_patches(self, patches: Mapping[str, int]) -> Self:
        """Return the keys with the patches per epoch that trainings had in fact, by their names in ``values``."""
        trained = {f"{name}{_TRAINING}{_PATCHES}": number for name, number in patches.items()}
        return replace(self, values={**self.values, **trained}, unmeasured={})

    def _is_recorded(self, key: str, recorded: Mapping[str, Any]) -> bool:
        if key in recorded:
            return bool(self.values.get(key, _ABSENT) == recorded[key])
        return self._is_default(key)

    def _is_default(self, key: str) -> bool:
        return bool(self.defaults.get(key, _ABSENT) == self.values[key])

    def _is_compared(self, key: str) -> bool:
        training, _, name = key.partition(_TRAINING)
        return name != _PATCHES if training in self.unmeasured else name.partition(".")[0] != _BUDGET


def run_keys(project: Project, dataset: str, method: str, seed: int) -> RunKeys:
    """Return the keys that decide the scores of a run.

    Parameters
    ----------
    project : Project
    dataset : str
        A data set or a fold.
    method : str
    seed : int

    Raises
    ------
    ConfigError, DataError
        When the rate that a budget names is missing, or of another recipe.
    """
    spec, recipe = project.dataset(dataset).spec, project.recipe(dataset, method)
    rules, run = Decisive(project), {"dataset": dataset, "method": method, "seed": str(seed)}
    # Rules between tasks and objects add scores and change no other: a row that was scored without them is still a row.
    score = {key: value for key, value in rules.score(**run).items() if key not in ("consistency", "objects")}
    generate = project.config.datasets[project.source(dataset)].generate
    parts = {
        "prepare": {**decisive("prepare_tile", spec), "classes": spec.class_names},
        "generate": decisive("synthesise", generate, "datasets.*.generate") if generate else {},
        "predict": {"method": method, **rules.predict(**run)},
        "score": score,
    }
    sections = {"prepare": spec, "predict.prediction": recipe.prediction, "score.scoring": recipe.scoring}
    sections |= {"generate": generate} if generate else {}
    ensemble = project.config.methods[method].ensemble
    sections |= {"predict": ensemble} if ensemble else {}
    unmeasured: dict[str, str] = {}
    for name, (source, number) in named_trainings(project, dataset, method, seed).items():
        plan = project.plan(dataset, source, number)
        patches = _epoch_patches(project, plan)
        parts[name] = _training_keys(project, plan, patches)
        unmeasured |= {name: source} if patches is None else {}
        sections |= {f"{name}{_TRAINING[:-1]}": plan.training, f"{name}.plan.model": plan.model, f"{name}.data": spec}
    defaults = {key: value for name, section in sections.items() for key, value in _defaults(name, section)}
    return RunKeys(_plain(dict(flat_keys(parts))), _plain(defaults), unmeasured)


def named_trainings(project: Project, dataset: str, method: str, seed: int) -> dict[str, tuple[str, int]]:
    """Return method and seed of the trainings of a run, by the names that they have among its keys."""
    runs = project.source_runs(dataset, method, seed)
    if not project.config.methods[method].ensemble:
        return dict(zip(("train",), runs, strict=True))
    return {f"train.{source}.seed{number}": (source, number) for source, number in runs}


def unidentified_start(project: Project, dataset: str, method: str) -> str:
    """Return initial weights that no key identifies, a file or the folder of a run; empty where there are none such."""
    starts = [project.plan(dataset, source, 0).model.start for source in project.sources_of(dataset, method)]
    unidentified = [start.source for start in starts if start and start.is_path and start.source not in SHIPPED]
    return unidentified[0] if unidentified else ""


def _training_keys(project: Project, plan: RunPlan, patches: int | None) -> dict[str, Any]:
    """Return the keys that decide a training's weights, with its patches per epoch where they are known."""
    rules, start = Decisive(project), plan.model.start
    published = start is not None and start.source in project.config.pretrained
    weights = rules.fetch_pretrained(start.source) if start and published else {}
    keys = {**rules.train(plan.dataset, plan.method, str(plan.seed)), "weights": weights}
    keys.pop("rate", None)  # the patches that follow from it count
    training = {key: value for key, value in keys["plan"]["training"].items() if key != _PATCHES}
    training |= {} if patches is None else {_PATCHES: patches}
    return {**keys, "plan": {**keys["plan"], "training": training}}


def _epoch_patches(project: Project, plan: RunPlan) -> int | None:
    """Return the patches per epoch of a plan; of a budget None where no rate has been measured in this folder yet."""
    budget = plan.training.budget
    if budget is None:
        return plan.training.epoch_patches
    if budget.rate:
        return _patches_within_budget(plan, budget.rate)
    measured = project.config.results / plan.dataset / "rates" / f"{plan.method}.json"
    try:
        return _patches_within_budget(plan, measured)
    except UserError:  # no file yet, or one of another recipe: the workflow measures the rate
        return None


def _patches_within_budget(plan: RunPlan, rate: Path) -> int:
    return spent_budget(plan, rate).on(plan).training.epoch_patches


def _defaults(name: str, section: Section) -> Iterator[tuple[str, Any]]:
    yield from ((f"{name}.{key}", value) for key, value in default_keys(section).items())


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(values))
    return plain
