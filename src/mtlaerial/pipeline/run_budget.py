"""Budget of a run without Snakemake: its rate lies beside the run, or where the configuration says."""

import logging
from pathlib import Path

from mtlaerial.runs.budget import Budget, within_budget
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.rate import save_rate
from mtlaerial.training.job import TrainingJob

RATE = "rate.json"
log = logging.getLogger(__name__)


def known_budget(plan: RunPlan, folder: Path) -> tuple[RunPlan, Budget | None]:
    """Return a plan with its number of updates and its budget, where the rate is known; else the plan as it is.

    Raises
    ------
    ConfigError, DataError
        When the rate is of another recipe, or the file that the configuration names is missing.
    """
    spec, measured = plan.training.budget, folder / RATE
    if spec and spec.rate:
        return within_budget(plan, spec.rate)
    return within_budget(plan, measured) if spec and measured.exists() else (plan, None)


def with_measured_budget(job: TrainingJob) -> TrainingJob:
    """Return a job whose number of updates is decided; where its budget is not, measure the rate and keep it.

    Raises
    ------
    UserError
        When the training fails, the machine has too few cores, or the budget is too small.
    """
    if job.plan.training.budget is None:
        return job
    from mtlaerial.probe.rate import measure_rate

    path = job.folder / RATE
    save_rate(measure_rate(job), path)
    log.info("%s: the rate, which is not measured again while the file is there", path)
    plan, budget = within_budget(job.plan, path)
    return job.model_copy(update={"plan": plan, "budget": budget})
