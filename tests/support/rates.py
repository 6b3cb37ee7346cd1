"""Rates as if they had been measured."""

from pathlib import Path
from typing import Any

from mtlaerial.runs.machine import Machine, this_machine
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.rate import Rate, rate_recipe, save_rate
from support import tiny

ELSEWHERE = Machine(processor="Other processor", cores=8, torch="1.0")


def budget_plan(minutes: float = 1.0, side_by_side: int = 1, **training: Any) -> RunPlan:
    """Return the plan of a tiny training with a budget."""
    return tiny.run_plan(budget={"minutes": minutes, "side_by_side": side_by_side}, **training)


def rate_of(plan: RunPlan, seconds: float, **changes: Any) -> Rate:
    """Return a rate of a plan's recipe: seconds of an update."""
    budget = plan.training.budget
    values: dict[str, Any] = {
        "machine": this_machine(),
        "device": "cpu",
        "threads": plan.training.threads,
        "side_by_side": budget.side_by_side if budget else 1,
        "seconds": seconds,
        "quartiles": (seconds / 2, seconds * 2),
        "timed": 20,
        "patches": plan.training.batch,
        "load_average": 0.1,
        "busy_cores": 0.0,
        "mtlaerial": "0",
        "code": "0",
        "recipe": rate_recipe(plan),
    }
    return Rate(**values | changes)


def rate_file(path: Path, plan: RunPlan, seconds: float, **changes: Any) -> Path:
    """Write a rate of a plan's recipe, and return the path."""
    save_rate(rate_of(plan, seconds, **changes), path)
    return path
