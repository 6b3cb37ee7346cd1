"""Summary of what a run of the workflow would train, for the end of a dry run."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from functools import cache
from pathlib import Path

from tqdm import tqdm

from mtlaerial.errors import DeviceError, UserError
from mtlaerial.pipeline.project import Project
from mtlaerial.runs.cost import load_cost
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.progress_file import last_record
from mtlaerial.runs.rate import load_rate
from mtlaerial.runs.status import RunStatus, training_states
from mtlaerial.system.nvidia_smi import visible_gpus

Training = tuple[str, str, int]
"""Data set, method and seed."""
FINISHED = ("done", "taken")
"""States of trainings that nothing is left to do for, unless their keys have changed."""


def plan_summary(
    project: Project, taken: Collection[Training] = (), planned: Collection[Training] | None = None
) -> str:
    """Return lines on the trainings of a project, its missing data, and the time of the trainings that are left.

    Parameters
    ----------
    project : Project
    taken : collection of (data set, method, seed)
        Runs whose finished rows are taken.
    planned : collection of (data set, method, seed), optional
        Trainings that a run of the workflow would make, finished ones with changed keys among them; by default those
        that are not finished.

    Raises
    ------
    ConfigError
        As :func:`mtlaerial.runs.status.training_states` does.
    """
    statuses = {_training(status): status for status in training_states(project.config, taken)}
    if planned is None:
        planned = [key for key, status in statuses.items() if status.state not in FINISHED]
    left = [statuses[key] for key in statuses if key in planned]
    lines = {"trainings": _states(statuses.values(), left), "data": _data(project), "time": _time(project, left)}
    return "\n".join(["Summary", *(f"  {name:<10}{text}" for name, text in lines.items() if text)])


def _training(status: RunStatus) -> Training:
    dataset, method, seed = status.name.split("/")
    return dataset, method, int(seed.removeprefix("seed"))


def _states(statuses: Collection[RunStatus], left: Collection[RunStatus]) -> str:
    """Return the numbers of trainings by state, and of those to be made."""
    counts = Counter(status.state for status in statuses)
    states = ", ".join(f"{number} {state}" for state, number in counts.items())
    again = sum(status.state in FINISHED for status in left)
    repeated = f" ({again} again, as keys or inputs have changed)" if again else ""
    return f"{states}; to be trained: {len(left)}{repeated}"


def _data(project: Project) -> str:
    """Return which data sets lack files, and which are generated."""
    parts = []
    for name, dataset in project.sources.items():
        if project.config.datasets[name].generate is None and (gaps := dataset.missing()):
            parts.append(f"{name} lacks {len(gaps)} files")
    generated = ", ".join(project.generated.values())
    return "; ".join([*parts, *([f"generated: {generated}"] if generated else [])]) or "all files are there"


def _time(project: Project, left: Collection[RunStatus]) -> str:
    """Return the time of the trainings that are left, one after the other, as far as it is known."""
    if not left:
        return ""
    gpu_here = cache(_has_gpu)  # for all trainings, as it may take a second
    times = [_seconds_left(project, status, gpu_here) for status in left]
    known_times = [seconds for seconds in times if seconds is not None]
    if not known_times:
        return "not known before a seed of each method has been trained"
    unknown = len(times) - len(known_times)
    text = f"about {tqdm.format_interval(sum(known_times))} of training, one after the other"
    return f"{text}; not known of {unknown}" if unknown else text


def _seconds_left(project: Project, status: RunStatus, gpu_here: Callable[[], bool]) -> float | None:
    """Return the seconds of a training's steps that are left, by its budget or by the cost of a seed."""
    dataset, method, seed = _training(status)
    training = project.recipe(dataset, method).training
    if training.budget:
        # Minutes of cores; of a GPU where one trains.
        on_gpu = _trains_on_gpu(project, project.plan(dataset, method, seed), gpu_here)
        return 60 * training.budget.minutes / (1 if on_gpu else training.threads)
    runs = project.config.results / dataset / "runs" / method
    record = last_record(runs / f"seed{seed}")
    done = record.saved_step if record and status.state in ("running", "interrupted") else 0
    seconds = next(_seconds_per_step(runs), None)
    return None if seconds is None else seconds * (training.steps - done)


def _trains_on_gpu(project: Project, plan: RunPlan, gpu_here: Callable[[], bool]) -> bool:
    """Tell whether a training with a budget uses a GPU: as stated, else as its rate was measured, else as here."""
    if plan.training.accelerator != "auto":
        return plan.training.accelerator == "cuda"
    budget = plan.training.budget
    assert budget
    measured = project.config.results / plan.dataset / "rates" / f"{plan.method}.json"
    try:
        return load_rate(budget.rate or measured, plan).device == "cuda"
    except UserError:  # none yet, or of another recipe
        return gpu_here()


def _has_gpu() -> bool:
    try:
        return bool(visible_gpus())
    except DeviceError:  # of which a job that needs one tells
        return False


def _seconds_per_step(folder: Path) -> Iterator[float]:
    """Yield the seconds per step of the finished trainings in a method's folder."""
    for path in sorted(folder.glob("seed*/cost.json")):
        try:
            yield load_cost(path).seconds_per_step
        except UserError:  # of another version, or damaged: nothing is known
            continue
