"""Rate of a training: the time of an update of a recipe, measured once on an idle machine; one JSON file per method.

No training reads a clock: a budget becomes a number of updates by this file (:mod:`mtlaerial.runs.budget`), so that the
same file gives the same training on every machine.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from mtlaerial.config import Section, merge
from mtlaerial.errors import ConfigError, DataError, UserError
from mtlaerial.runs.differing_keys import differing_keys
from mtlaerial.runs.machine import Machine
from mtlaerial.runs.plan import RunPlan
from mtlaerial.system.file_format import require_format
from mtlaerial.system.files import write_text

FORMAT = 1
_RUN = ("dataset", "method", "seed")
"""Keys of a plan that name a run, and change no cost."""
_MEASURE = "Measure it again: delete the file, and give the same command."


class Rate(Section):
    """Time of an update, and everything that it depends on."""

    format: int = FORMAT
    machine: Machine
    device: Literal["cpu", "cuda"]
    threads: PositiveInt
    """Torch's threads of each training."""
    side_by_side: PositiveInt
    """Trainings that were at work at once."""
    seconds: PositiveFloat
    """Median time of an update, over all trainings."""
    quartiles: tuple[NonNegativeFloat, NonNegativeFloat]
    """First and third quartile of these times."""
    timed: PositiveInt
    """Updates that were timed."""
    patches: PositiveInt
    """Patches per update."""
    load_average: NonNegativeFloat | None
    """The system's mean number of processes at work over the minute before; None where it tells none."""
    busy_cores: NonNegativeFloat
    """Cores, of those that could be used, that other programs kept busy meanwhile."""
    warning: str = ""
    """Statement that the machine was not idle; empty where it was."""
    mtlaerial: str
    """Version of the package that measured."""
    code: str
    """Hash of the modules that train."""
    recipe: dict[str, Any] = Field(default={}, exclude_if=lambda recipe: not recipe)
    """The keys of the plan that the time of an update depends on; none in a run, whose plan has them."""

    @property
    def core_seconds(self) -> float:
        """Seconds of an update times the threads of its training; on a GPU the seconds."""
        return self.seconds * (self.threads if self.device == "cpu" else 1)

    @property
    def text(self) -> str:
        """The rate in one line, for people."""
        low, high = self.quartiles
        trainings = "1 training" if self.side_by_side == 1 else f"{self.side_by_side} trainings side by side"
        threads = "" if self.device == "cuda" else f" on {_counted(self.threads, 'thread')}"
        times = f"{self.seconds:.3g} s an update{threads} ({low:.3g} to {high:.3g} s)"
        return f"{times}, measured with {trainings} on {self.machine.device}, torch {self.machine.torch}"


def rate_recipe(plan: RunPlan) -> dict[str, Any]:
    """Return the keys of a plan that the time of an update depends on."""
    return {key: value for key, value in plan.decisive("measure_rate").items() if key not in _RUN}


def stated_rate_hash(plan: RunPlan, results: Path) -> str:
    """Return the hash of the file of a rate that a plan names; empty without one, or while it is missing.

    Snakemake itself notices only a file that is newer than the results. A file among these is one that the workflow
    makes, maybe later than it plans.
    """
    path = plan.training.budget.rate if plan.training.budget else None
    if path is None or path.is_relative_to(results) or not path.is_file():
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def save_rate(rate: Rate, path: Path) -> None:
    """Write the file of a rate."""
    write_text(path, rate.model_dump_json(indent=1))


def load_rate(path: Path, plan: RunPlan) -> Rate:
    """Read the file of a rate, and verify that it was measured for a plan's recipe.

    Raises
    ------
    ConfigError, DataError
        When the file is missing or damaged, of another format, or of another recipe.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        expected = f"the rate of {plan.method}, by which its budget becomes a number of updates"
        remedy = "Correct training.budget.rate, or take it out: then the rate is measured."
        raise ConfigError(path, "no file", expected, remedy) from None
    except (OSError, ValueError, RecursionError):
        raise DataError(path, "a damaged file", "the rate of a training", _MEASURE) from None
    if not isinstance(data, dict):
        raise DataError(path, "another file", "the rate of a training", _MEASURE)
    require_format(path, data, FORMAT, _MEASURE)
    rate = Rate.parse(data, str(path))
    if difference := differing_keys(_completed(path, rate.recipe), rate_recipe(plan)):
        remedy = f"{_MEASURE} If it is given by training.budget.rate, correct the key."
        raise DataError(path, f"a rate of another recipe ({difference})", f"the rate of {plan.method}", remedy)
    return rate


def _completed(path: Path, recipe: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe with the defaults of keys that the version that measured it did not have yet."""
    filling = {"dataset": "", "method": "", "seed": 0, "training": {"budget": {"minutes": 1}}}
    try:
        return rate_recipe(RunPlan.parse(merge(filling, recipe), f"{path}, key recipe"))
    except UserError as error:
        raise DataError(error.where, error.found, error.expected, _MEASURE) from None


def _counted(number: int, name: str) -> str:
    return f"1 {name}" if number == 1 else f"{number} {name}s"
