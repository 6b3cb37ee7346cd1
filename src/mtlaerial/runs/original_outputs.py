"""Tasks and classes of the outputs of the original's networks, which its checkpoints do not say, or not clearly."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mtlaerial.config import DatasetSpec, Task
from mtlaerial.errors import ConfigError

log = logging.getLogger(__name__)
_TASKS: dict[Any, Task] = {"depth": "height", "height": "height", "semantics": "semantics"}


def named_tasks(text: str) -> list[Task]:
    """Return the tasks of a text such as ``depth,semantics``; depth is the original's name of height.

    Raises
    ------
    ConfigError
        When a task is unknown or repeated.

    Examples
    --------
    >>> named_tasks("depth,semantics")
    ['height', 'semantics']
    """
    names = [name.strip() for name in text.split(",")]
    tasks = [_TASKS[name] for name in names if name in _TASKS]
    if len(set(tasks)) < len(names):
        remedy = "For example --tasks depth,semantics."
        raise ConfigError("--tasks", text or "nothing", "depth, semantics or both, each once", remedy)
    return tasks


def tasks_of(outputs: Sequence[int], named: Sequence[Task] | None, stated: Any) -> tuple[Task, ...]:
    """Return the task of each output, in the outputs' order: as named, else as stated, else by the channels.

    Parameters
    ----------
    outputs : sequence of int
        Channels of each output.
    named : sequence of Task, optional
        As the user says.
    stated : object
        The checkpoint's value ``tasks``, of any type; logged where it is not followed.

    Raises
    ------
    ConfigError
        When the named tasks do not fit the outputs, or the channels do not tell them.
    """
    in_file = _stated_tasks(stated)
    if named is not None:
        if not _fit(named, outputs):
            sizes = " and ".join(map(str, outputs))
            expected = f"as many as the checkpoint's outputs, which have {sizes} channels, height with one"
            raise ConfigError("--tasks", ", ".join(named), expected, "Name them in the order of the outputs.")
        tasks = tuple(named)
    else:
        tasks = in_file if _fit(in_file, outputs) else _guessed_tasks(outputs)
    if stated is not None and tasks != in_file:
        log.warning("the checkpoint says that its tasks are %s; its outputs are taken as %s", stated, ", ".join(tasks))
    return tasks


def _stated_tasks(stated: Any) -> tuple[Task, ...]:
    """Return the tasks that a checkpoint names; none where it names others, or none."""
    names = stated if isinstance(stated, list) else []
    tasks = tuple(_TASKS[name] for name in names if name in _TASKS)
    return tasks if len(set(tasks)) == len(names) else ()


def _fit(tasks: Sequence[Task], outputs: Sequence[int]) -> bool:
    height_channels = [size for task, size in zip(tasks, outputs, strict=False) if task == "height"]
    return len(tasks) == len(outputs) and all(size == 1 for size in height_channels)


def _guessed_tasks(outputs: Sequence[int]) -> tuple[Task, ...]:
    tasks = tuple(_guessed_task(size) for size in outputs)
    if len(set(tasks)) < len(tasks):
        sizes = " and ".join(map(str, outputs))
        remedy = "Say it, e.g. --tasks depth,semantics."
        raise ConfigError("--tasks", "nothing", f"which of the outputs of {sizes} channels is which task", remedy)
    return tasks


def _guessed_task(channels: int) -> Task:
    return "height" if channels == 1 else "semantics"


def channels_of(outputs: int, dataset: DatasetSpec, spec: Path, named: Sequence[int] | None) -> tuple[int, ...]:
    """Return the output channel of each class, in the classes' order.

    By default that of its code: the original's channels are the values of its labels, with 0 for unlabelled on
    DFC2018. Where the labels are colours, and where there are as many channels as classes, the order tells.

    Raises
    ------
    ConfigError
        When neither tells it, or the named channels do not fit.
    """
    classes = dataset.labels.classes if dataset.labels else ()
    if named is not None and classes:
        return _named_channels(outputs, len(classes), spec, named)
    if classes and outputs - len(classes) in (0, 1):
        in_order = list(range(outputs - len(classes), outputs))
        codes = [value for entry in classes for value in entry.values if isinstance(value, int)]
        return tuple(codes if sorted(codes) == in_order else in_order)
    expected = f"{outputs} or {outputs - 1}, as the checkpoint has {outputs} channels"
    remedy = "Name another specification, or say with --channels which channel is which class."
    raise ConfigError(f"{spec}, key labels.classes", f"{len(classes)} classes", expected, remedy)


def _named_channels(outputs: int, classes: int, spec: Path, named: Sequence[int]) -> tuple[int, ...]:
    if len(named) != classes or len(set(named)) != classes or not set(named) <= set(range(outputs)):
        expected = f"a channel from 0 to {outputs - 1} for each of the {classes} classes of {spec}"
        remedy = "Name each once, in the classes' order."
        raise ConfigError("--channels", ", ".join(map(str, named)), expected, remedy)
    return tuple(named)
