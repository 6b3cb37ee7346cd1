# The only reader of the configuration: scripts get `params`. A changed key repeats the jobs whose `decisive` values it
# changes; mtlaerial.config.configuration_stages and specification_stages list keys and rules.
import atexit
import functools
import hashlib
import os
import shlex
import sys
from dataclasses import asdict
from pathlib import Path

from mtlaerial.config import LAYERS, PREPARED_LAYERS, merge, typed_scalars
from mtlaerial.config.configuration_files import (
    configuration_files,
    is_whole,
    module_configuration,
    options_of_section,
)
from mtlaerial.config.engines import CPU_ENGINES
from mtlaerial.config.recipe_overlay import merge_files, names_recipes
from mtlaerial.datasets.buffer import held_out_of
from mtlaerial.errors import UserError
from mtlaerial.pipeline.calibration_notes import calibration_notes, is_calibrated
from mtlaerial.pipeline.ensemble_notes import ensemble_notes
from mtlaerial.pipeline.finished_rows import find_rows
from mtlaerial.pipeline.joint_methods import tradeoffs
from mtlaerial.pipeline.object_notes import has_objects, object_notes
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.project_starts import check_starts, start_of
from mtlaerial.pipeline.context_params import Context
from mtlaerial.pipeline.decisive_params import Decisive
from mtlaerial.pipeline.run_keys import named_trainings, run_keys
from mtlaerial.pipeline.transfer_plan import tested_sets, transferred_methods
from mtlaerial.pipeline.unscored import require_scored, unscored_notes
from mtlaerial.pipeline.view_notes import view_notes
from mtlaerial.system.scheduler_watch import JobCounts, SchedulerWatch
from snakemake.logging import logger

try:
    # Snakemake lists the file of the directive `configfile` after those of the command line, which win over it.
    OVERLAYS = [Path(file) for file in workflow.overwrite_configfiles]
    FILES = [Path(file) for file in workflow.configfiles[len(OVERLAYS) :]] + OVERLAYS
    options = typed_scalars(dict(workflow.config_settings.config))
    if outer := workflow.modifier.parent_modifier:  # a module, to which another Snakefile gives the configuration
        typed = options_of_section(config, outer.globals["config"], options)
        project = Project.of(module_configuration(merge(config, typed)))
    else:
        merged = merge_files(configuration_files(FILES), options)  # Snakemake's reader takes the last of two equal keys
        complete = is_whole(config) and not names_recipes(merged)
        project = Project.of(merge(config, options) if complete else merged)
    PENDING = {mark: archive for mark, archive in project.archives.items() if archive.pending}
    for archive in PENDING.values():
        archive.require_place()
    project.require_one_place()
    ROWS = find_rows(project)
except UserError as error:
    raise WorkflowError(str(error)) from None

# The command that was given, for the report: jobs have commands of their own, and inherit the environment.
COMMAND_VARIABLE = "MTLAERIAL_COMMAND"
if workflow.is_main_process:
    os.environ[COMMAND_VARIABLE] = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
COMMAND = os.environ.get(COMMAND_VARIABLE, "")

CHECK = "<results>/{dataset}/checks/{tile}.json"
TILE = "<results>/{dataset}/tiles/{tile}"
RUN = "<results>/{dataset}/runs/{method}/seed{seed}"
RATE = "<results>/{dataset}/rates/{method}.json"
FIGURES = "<results>/figures/{dataset}"
FINISHED = "<results>/{dataset}/finished/{method}/seed{seed}/scores.json"
ROW = (
    f"{project.config.finished.as_posix()}/{{dataset}}/{{method}}.seed{{seed}}.json" if project.config.finished else ""
)


pathvars:
    results=project.config.results.as_posix(),
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",
    check=CHECK,
    tile=TILE,
    run=RUN,
    figures=FIGURES,


def decisive_params(rule):
    """Return a params function: the values whose change repeats a job of a rule."""
    return lambda wildcards: getattr(Decisive(project), rule)(**dict(wildcards.items()))


def context_params(rule):
    """Return a params function: everything that a script reads besides; its change repeats no job.

    What decides a result must be in `decisive` too, which is recorded and compared."""
    # Snakemake leaves functions of `input` out of the params that it records and compares.
    return lambda wildcards, input: getattr(Context(project), rule)(**dict(wildcards.items()))


def gpus(wildcards):
    """Return the number of GPUs of a training; an ensemble needs one that all members may use."""
    return 0 if any(training.accelerator == "cpu" for training in trainings_of(wildcards)) else 1


def torch_threads(wildcards):
    """Return torch's threads of a training; of an ensemble the most of its members."""
    return max(training.threads for training in trainings_of(wildcards))


def prediction_gpus(wildcards):
    """Return the number of GPUs of a prediction, on the device that its configuration states."""
    prediction = project.recipe(wildcards.dataset, wildcards.method).prediction
    if prediction.engine in CPU_ENGINES:
        return 0
    return gpus(wildcards) if prediction.device is None else int(prediction.device == "cuda")


def prediction_threads(wildcards):
    """Return torch's threads of a prediction."""
    return project.recipe(wildcards.dataset, wildcards.method).prediction.threads or torch_threads(wildcards)


def trainings_of(wildcards):
    dataset, method = wildcards.dataset, wildcards.method
    sources = project.sources_of(dataset, method) if is_ensemble(method) else (method,)
    return [project.recipe(dataset, source).training for source in sources]


def all_cores(wildcards):
    """Return the number of cores of this machine's workflow; on a cluster those of the trainings that are timed."""
    try:
        return workflow.cores
    except WorkflowError:  # on a cluster without --cores
        return project.recipe(wildcards.dataset, wildcards.method).training.threads_at_once


def trainings_timed(wildcards):
    """Return the number of trainings that are at work while a rate is measured."""
    return project.recipe(wildcards.dataset, wildcards.method).training.budget.side_by_side


def growing(megabytes):
    """Return a resource function: memory that grows by the same amount with each attempt."""
    return lambda wildcards, attempt: megabytes * attempt


def job_counts():
    """Return the numbers of jobs at work and of those that are ready, as Snakemake's scheduler has them."""
    at_work = len(workflow.scheduler.running)
    return JobCounts(at_work, 0 if at_work else len(workflow.dag.ready_jobs))


onstart:
    if workflow.is_main_process:
        # With its default limit of 100 jobs a second, Snakemake 9.27 looks at all ready jobs once a second more for each
        # job that ended, until a core is busy with it (github.com/snakemake/snakemake/pull/3744). Another limit is kept.
        limit = workflow.scheduler.job_rate_limiter
        if limit and (limit.max_jobs, limit.timespan) == (100, 1):
            workflow.scheduler.job_rate_limiter = None
        # Status queries that fail are told with --verbose only (snakemake-executor-plugin-slurm 2.8).
        on_slurm = "slurm" in workflow.executor_plugin.name
        query = ("squeue", "--me", "--noheader", "--format=%i") if on_slurm else ()
        SchedulerWatch(job_counts, query, logger.warning).start()
