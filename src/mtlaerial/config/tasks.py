"""The registry of tasks, and the type of a task's name in the configuration.

Reading a configuration imports the entries that it names, which need no torch.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, Field

from mtlaerial.config.faults import Unfit
from mtlaerial.config.registry import Registry
from mtlaerial.config.task_entry import Metrics, TaskEntry
from mtlaerial.errors import ConfigError

GROUP = "mtlaerial.tasks"
"""Group of the entry points by which other packages register tasks."""
_HERE = "mtlaerial.tasks"
TASKS: dict[str, str] = {"semantics": f"{_HERE}.semantics:SEMANTICS", "height": f"{_HERE}.height:HEIGHT"}
"""Modules and entries of the tasks that data sets have truth for by name, in the order of tables."""
FURTHER: dict[str, str] = {"edges": f"{_HERE}.edges:EDGES"}
"""Those of the package's further tasks, which only methods that name them learn."""
REGISTRY = Registry("task", GROUP, {**TASKS, **FURTHER}, "Install the package that registers it, or correct the name.")


@cache
def task_entry(name: str) -> TaskEntry:
    """Return the entry of a task.

    Raises
    ------
    ConfigError
        When no task has that name, or the package that registers it is broken.

    Examples
    --------
    >>> task_entry("height").truth
    'height'
    """
    entry = REGISTRY.load(name)
    if not isinstance(entry, TaskEntry) or entry.name != name:
        content = f"a task named {entry.name}" if isinstance(entry, TaskEntry) else repr(entry)
        raise REGISTRY.registered_wrongly(name, content, f"a TaskEntry named {name} at {REGISTRY.target(name)}")
    return entry


def installed_entries() -> Iterator[TaskEntry]:
    """Yield the entries of all tasks, without those of broken packages."""
    for name in REGISTRY.targets():
        try:
            yield task_entry(name)
        except ConfigError:
            continue


def leading_task(metrics: Metrics) -> str:
    """Return the package's first task with some metrics: tables show it without its name.

    Examples
    --------
    >>> leading_task("heights")
    'height'
    """
    return next(name for name in TASKS if task_entry(name).metrics == metrics)


def leads(name: str) -> bool:
    """Tell whether a task is the leading one of its metrics."""
    return name == leading_task(task_entry(name).metrics)


def registry_order(name: str) -> int:
    """Return a key that sorts the package's tasks first, in the order of tables."""
    names = [*TASKS, *FURTHER]
    return names.index(name) if name in names else len(names)


def tasks_with(metrics: Metrics, tasks: Iterable[str]) -> list[str]:
    """Return those of some tasks that have some metrics."""
    return [name for name in tasks if task_entry(name).metrics == metrics]


def require_distinct_maps(tasks: Iterable[str]) -> None:
    """Refuse tasks that would write the same file.

    Raises
    ------
    Unfit
    """
    tasks_by_file: dict[str, str] = {}
    for name in tasks:
        for layer in task_entry(name).possible_maps:
            first = tasks_by_file.setdefault(layer.name, name)
            if first != name:
                expected = f"tasks with maps of different names, and not {layer.name}.tif of both"
                raise Unfit("tasks", f"{first}, {name}", expected, "Remove one.")


def _registered(name: str) -> str:
    try:
        task_entry(name)
    except ConfigError as error:
        raise Unfit("", error.found, error.expected, error.remedy) from None
    return name


Task = Annotated[str, AfterValidator(_registered), Field(json_schema_extra={"examples": [*TASKS, *FURTHER]})]
"""Name of a task."""
