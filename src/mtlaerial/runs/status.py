"""State and progress of the trainings of a selection, read from their files; no file is changed."""

import os
import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from mtlaerial.config import ProjectConfig, load_dataset
from mtlaerial.config.class_names import recipe_on
from mtlaerial.config.selection import selection_notes, trained_on
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.runs.lock import is_locked
from mtlaerial.runs.progress_file import ProgressRecord, last_record
from mtlaerial.runs.run import read_description
from mtlaerial.runs.weights import DESCRIPTION, WEIGHTS, weights_hash

State = Literal["done", "taken", "damaged", "running", "interrupted", "failed", "waiting"]
TAIL = 65_536
"""Bytes read at the end of a log."""
LATELY = 120.0
"""Seconds within which a running training writes a log line; several times the interval of progress lines."""


@dataclass(frozen=True)
class RunStatus:
    """Status of a training.

    Attributes
    ----------
    name : str
        ``dataset/method/seed0``.
    state : str
        ``done`` with weights; ``taken`` where a finished row is taken instead; ``damaged`` when they are not those of
        ``run.yaml``; ``running`` while its lock is held; ``interrupted`` with the saved state of an unfinished
        training; ``failed`` when an error ended it; ``waiting`` otherwise.
    progress : str
        Steps that are done, and the time left; empty without a progress file.
    age : float or None
        Seconds since the last line of its log.
    lines : tuple of str
        The last lines of its log.
    warning : str
        Statement that its weights are worse than a constant prediction; empty where they are not.
    """

    name: str
    state: State
    progress: str
    age: float | None
    lines: tuple[str, ...]
    warning: str = ""


def training_states(config: ProjectConfig, taken: Collection[tuple[str, str, int]] = ()) -> Iterator[RunStatus]:
    """Yield the status of each training that the selection needs, in the order of the selection.

    Parameters
    ----------
    config : ProjectConfig
    taken : collection of (data set, method, seed)
        Runs whose finished rows are taken.

    Raises
    ------
    ConfigError
        When the specification of a data set is missing or wrong: it decides which methods run, and its classes which
        class weights are possible.
    """
    for dataset in config.run.datasets:
        spec = load_dataset(config.datasets[dataset].spec)
        methods = trained_on(config, dataset, spec)
        for method in methods:
            recipe_on(config, dataset, spec, method, dataset)
        folds = spec.fold_areas(dataset) or (dataset,)
        runs = product(folds, methods, config.run.seeds)
        for fold, method, seed in runs:
            status = _status(config, fold, method, seed)
            is_taken = (fold, method, seed) in taken
            yield replace(status, state="taken", progress="") if is_taken else status


def _status(config: ProjectConfig, dataset: str, method: str, seed: int) -> RunStatus:
    folder = config.results / dataset / "runs" / method / f"seed{seed}"
    log = config.results / "logs" / dataset / "train" / f"{method}.seed{seed}.log"
    last, lines = last_record(folder), _last_lines(log)
    state = _state(folder, last, config.resume)
    age = max(0.0, time.time() - log.stat().st_mtime) if lines else None
    warning = last.warning if last and state != "waiting" else ""
    return RunStatus(f"{dataset}/{method}/seed{seed}", state, _progress(last, state), age, lines, warning)


def _state(folder: Path, last: ProgressRecord | None, resume: Path | None) -> State:
    if is_locked(folder):
        return "running"
    if (folder / WEIGHTS).exists():
        return "damaged" if _is_damaged(folder) else "done"
    if any(folder.glob("*.resume.pt")) or _saved_elsewhere(last, resume):
        return "interrupted"
    return "failed" if last and last.event == "error" else "waiting"


def _is_damaged(folder: Path) -> bool:
    """Tell whether a run's weights are other than its description says; one that is still to be written is no fault."""
    if not (folder / DESCRIPTION).exists():
        return False
    try:
        return read_description(folder).sha256 != weights_hash(folder)
    except ConfigError:
        return True
    except DataError:  # of another format: nothing is known of the weights
        return False


def _saved_elsewhere(last: ProgressRecord | None, resume: Path | None) -> bool:
    """Tell whether a folder for the states of many runs may hold this run's, whose progress file says it was saved."""
    if resume is None or last is None or not last.saved_step:
        return False
    return any(resume.glob("*.resume.pt"))


def _last_lines(log: Path) -> tuple[str, ...]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            text = file.read().decode(errors="replace")
    except OSError:
        return ()
    return tuple(text.strip().splitlines())


def _progress(last: ProgressRecord | None, state: State) -> str:
    if last is None or not last.steps or state in ("done", "damaged", "waiting"):
        return ""
    steps = f"{last.step}/{last.steps} steps"
    if state != "running" or last.seconds_left is None:
        return steps
    return f"{steps}, {tqdm.format_interval(last.seconds_left)} left"


def selection_text(config: ProjectConfig) -> str:
    """Return a line for each kind of method that is left out on a data set, or learns fewer tasks there.

    Raises
    ------
    ConfigError
        When the specification of a data set is missing or wrong.
    """
    specs = {name: load_dataset(config.datasets[name].spec) for name in config.run.datasets}
    return "\n".join(note for name, spec in specs.items() for note in selection_notes(config, name, spec))


def has_results(config: ProjectConfig) -> bool:
    """Tell whether there is anything of the selected data sets in the folder of the results."""
    return any((config.results / dataset).exists() for dataset in config.run.datasets)


def status_text(runs: list[RunStatus], lines: int) -> str:
    """Return a table of the trainings for people, with the last log lines of those that are not done.

    Parameters
    ----------
    runs : list of RunStatus
    lines : int
        Number of lines per log; of a failed training at least one is shown.
    """
    width = max(len(run.name) for run in runs)
    text = [line for run in runs for line in _run_lines(run, width, lines)]
    counts = Counter(run.state for run in runs)
    text += ["", f"Trainings: {', '.join(f'{number} {state}' for state, number in counts.items())}"]
    if any(_seems_alive(run) for run in runs):
        text.append("Where a log has new lines, a training goes on, though its lock may not be seen from this machine.")
    return "\n".join(text)


def _run_lines(run: RunStatus, width: int, lines: int) -> list[str]:
    warnings = [f"    Warning: {run.warning}"] if run.warning else []
    if run.state in ("done", "taken"):
        return [f"{run.name:{width}}  {run.state}", *warnings]
    age = "" if run.age is None else f"log {_ago(run.age)}"
    row = f"{run.name:{width}}  {run.state:11}  {run.progress:34}  {age}".rstrip()
    shown = max(lines, int(run.state == "failed"))
    first = max(0, len(run.lines) - shown)
    return [row, *warnings, *(f"    {line}" for line in run.lines[first:])]


def _seems_alive(run: RunStatus) -> bool:
    """Tell whether a training without a lock writes to its log: it may run on another machine."""
    return run.state in ("interrupted", "waiting") and run.age is not None and run.age < LATELY


def _ago(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
