"""Keys that decide the scores of a run, over all stages: by them a finished row is known to be this run's."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mtlaerial.config import Section
from mtlaerial.config.decisive_keys import decisive, default_values, flat_keys
from mtlaerial.config.start import SHIPPED
from mtlaerial.pipeline.decisive_params import Decisive
from mtlaerial.pipeline.project import Project
from mtlaerial.runs.plan import RunPlan

SHOWN = 3
"""Most differing keys that a text names."""
_ABSENT = object()


@dataclass(frozen=True)
class RunKeys:
    """The keys that decide a run's scores, with dots.

    Attributes
    ----------
    values : dict
        Plain data, as JSON gives it back. Folders and times of files are none: they differ from checkout to checkout.
    defaults : dict
        Default values of keys of network, training, prediction and scoring.
    """

    values: Mapping[str, Any]
    defaults: Mapping[str, Any]

    def difference(self, recorded: Mapping[str, Any]) -> str:
        """Return how they differ from those that a row recorded; empty if they do not.

        A key that a later version added counts as recorded with its default, so that it repeats no row; a default that
        was changed since does not, as rows record all keys.
        """
        changed = [key for key, value in recorded.items() if self.values.get(key, _ABSENT) != value]
        changed += [key for key in self.values if key not in recorded and not self._is_default(key)]
        changes = [f"{key} {recorded.get(key)} instead of {self.values.get(key)}" for key in changed[:SHOWN]]
        more = [f"{len(changed) - SHOWN} more keys"] if len(changed) > SHOWN else []
        return ", ".join([*changes, *more])

    def _is_default(self, key: str) -> bool:
        return bool(self.defaults.get(key, _ABSENT) == self.values[key])


def run_keys(project: Project, dataset: str, method: str, seed: int) -> RunKeys:
    """Return the keys that decide the scores of a run.

    Parameters
    ----------
    project : Project
    dataset : str
        A data set or a fold.
    method : str
    seed : int
    """
    spec, recipe = project.dataset(dataset).spec, project.recipe(dataset, method)
    rules, run = Decisive(project), {"dataset": dataset, "method": method, "seed": str(seed)}
    generate = project.config.datasets[project.source(dataset)].generate
    parts = {
        "prepare": {**decisive("prepare_tile", spec), "classes": spec.class_names},
        "generate": decisive("synthesise", generate, "datasets.*.generate") if generate else {},
        "predict": {"method": method, **rules.predict(**run)},
        "score": rules.score(**run),
    }
    sections: dict[str, Section] = {"predict.prediction": recipe.prediction, "score.scoring": recipe.scoring}
    for source, number in project.source_runs(dataset, method, seed):
        name = f"train.{source}.seed{number}" if project.config.methods[method].ensemble else "train"
        plan = project.plan(dataset, source, number)
        start = plan.model.start
        published = start is not None and start.source in project.config.pretrained
        weights = rules.fetch_pretrained(start.source) if start and published else {}
        parts[name] = {**rules.train(dataset, source, str(number)), "weights": weights, **_given_rate(plan)}
        sections |= {f"{name}.plan.training": plan.training, f"{name}.plan.model": plan.model}
    defaults = {name: default_values(section) for name, section in sections.items()}
    flat_defaults = {f"{name}.{key}": value for name, values in defaults.items() for key, value in flat_keys(values)}
    return RunKeys(_plain(dict(flat_keys(parts))), _plain(flat_defaults))


def unidentified_start(project: Project, dataset: str, method: str) -> str:
    """Return initial weights that no key identifies, a file or the folder of a run; empty where there are none such."""
    starts = [project.plan(dataset, source, 0).model.start for source in project.sources_of(dataset, method)]
    unidentified = [start.source for start in starts if start and start.is_path and start.source not in SHIPPED]
    return unidentified[0] if unidentified else ""


def _given_rate(plan: RunPlan) -> dict[str, Any]:
    """Return the hash of the rate that decides the updates of a budget; nothing where none is given.

    A rate that the workflow measures itself is none: it is of the machine that the row names.
    """
    path = plan.training.budget.rate if plan.training.budget else None
    if path is None:
        return {}
    return {"rate": hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(values))
    return plain
