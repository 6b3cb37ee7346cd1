"""Budget of a training: minutes that become a number of updates by a measured rate."""

import logging
from math import floor
from pathlib import Path
from typing import Self

from pydantic import PositiveFloat, PositiveInt

from mtlaerial.config import Section, TrainingSpec
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.runs.machine import Machine
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.rate import Rate, load_rate

KEY = "training.budget.minutes"
log = logging.getLogger(__name__)


class Budget(Section):
    """The budget of a training as it was spent."""

    minutes: PositiveFloat
    """Core-minutes: minutes times threads; on a GPU minutes."""
    updates: PositiveInt
    """The updates that it allows: a whole number of them in each epoch."""
    rate: Rate
    """The rate that they follow from."""
    machine: Machine | None = None
    """The machine that trained; None before the training begins."""

    def on(self, plan: RunPlan) -> RunPlan:
        """Return a plan with the number of updates that was decided, and without the minutes.

        A plan of so many updates is the same, whether they were given or follow from a budget: so are its weights.
        """
        patches = self.updates // plan.training.epochs * plan.training.batch
        entries = {**plan.training.model_dump(exclude={"budget"}), "epoch_patches": patches}
        return plan.model_copy(update={"training": TrainingSpec.parse(entries, KEY)})

    def trained_on(self, machine: Machine) -> Self:
        """Return the budget with the machine that trains; warn where it is not the one that was measured."""
        if warning := self._elsewhere(machine):
            log.warning("%s", warning)
        return self.model_copy(update={"machine": machine})

    @property
    def text(self) -> str:
        """The budget in one line, for people."""
        unit = "core-minutes" if self.rate.device == "cpu" else "GPU-minutes"
        spent = f"{self.minutes:g} {unit}: {self.updates:,} updates, {self.rate.text}"
        elsewhere = self._elsewhere(self.machine) if self.machine else ""
        return ". ".join(filter(None, [spent, self.rate.warning, elsewhere]))

    def _elsewhere(self, machine: Machine) -> str:
        """Return the warning on a rate of another machine than the one that trains; empty where it is the same."""
        if machine.as_fast_as(self.rate.machine):
            return ""
        return (
            f"The rate was measured on another machine than trained ({machine.device}, torch {machine.torch}): "
            "its minutes are not those of the budget"
        )


def within_budget(plan: RunPlan, path: Path | None) -> tuple[RunPlan, Budget | None]:
    """Return a plan whose number of updates is decided, and the budget that decided it; without a budget the plan.

    Parameters
    ----------
    plan : RunPlan
    path : Path or None
        The file of the rate of a plan with a budget.

    Raises
    ------
    ConfigError
        When the budget is too small for an update in each epoch, or the file is missing.
    DataError
        When the file is damaged or of another recipe.
    """
    if plan.training.budget is None:
        return plan, None
    if path is None:
        raise undecided(plan)
    budget = spent_budget(plan, path)
    if budget.rate.warning:
        log.warning("%s: %s", path, budget.rate.warning)
    log.info("%s, seed %d: %s", plan.method, plan.seed, budget.text)
    return budget.on(plan), budget


def spent_budget(plan: RunPlan, path: Path) -> Budget:
    """Return the budget of a plan that has one, as it is spent by the rate of a file.

    Raises
    ------
    ConfigError, DataError
        As of :func:`within_budget`.
    """
    spec = plan.training.budget
    assert spec
    rate, epochs = load_rate(path, plan), plan.training.epochs
    # Rounding must not take an update from a budget that is a whole number of them.
    affordable = floor(spec.minutes * 60 / rate.core_seconds + 1e-9)
    if affordable < epochs:
        least = epochs * rate.core_seconds / 60
        budget = f"{spec.minutes:g}, enough for {affordable} updates of {rate.core_seconds:.3g} core-seconds"
        remedy = "Raise the budget, or lower training.epochs."
        raise ConfigError(KEY, budget, f"at least {least:.3g}, for an update in each of {epochs} epochs", remedy)
    recorded = rate.model_copy(update={"recipe": {}})
    return Budget(minutes=spec.minutes, updates=affordable // epochs * epochs, rate=recorded)


def require_decided(plan: RunPlan) -> None:
    """Refuse a plan whose budget has not become a number of updates.

    Raises
    ------
    ConfigError
    """
    if plan.training.budget:
        raise undecided(plan)


def undecided(plan: RunPlan) -> ConfigError:
    """Return the error on a budget that no rate was measured for."""
    budget = plan.training.budget
    assert budget
    problem = f"{budget.minutes:g} minutes for {plan.method}, whose rate is not measured"
    remedy = "The workflow and `mtlaerial train` measure it; or name its file in training.budget.rate."
    return ConfigError(KEY, problem, "a measured rate, by which they become a number of updates", remedy)


def described_plan(plan: RunPlan, budget: Budget | None, weights: Path) -> RunPlan:
    """Return the plan of trained weights: with the number of updates that their training had.

    Raises
    ------
    DataError
        When the plan has a budget and the weights were trained without one.
    """
    if budget:
        return budget.on(plan)
    if plan.training.budget:
        problem = "weights of a training without a budget"
        raise DataError(weights, problem, f"those of {KEY} {plan.training.budget.minutes:g}", "Train the run again.")
    return plan
