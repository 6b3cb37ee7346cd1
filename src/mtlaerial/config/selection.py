"""The methods that run on a data set: those selected for it that it has ground truth for."""

from collections.abc import Collection, Mapping, Sequence

from mtlaerial.config.dataset import DatasetSpec
from mtlaerial.config.faults import did_you_mean
from mtlaerial.config.project import ProjectConfig
from mtlaerial.config.recipe import Task
from mtlaerial.errors import ConfigError


def methods_on(config: ProjectConfig, dataset: str, spec: DatasetSpec) -> tuple[str, ...]:
    """Return the methods that run on a data set, in the order of their selection.

    A method is left out where the data set has ground truth for none of its tasks; :func:`lacking_truth` names it.

    Parameters
    ----------
    config : ProjectConfig
    dataset : str
        A data set of the configuration.
    spec : DatasetSpec
        Its specification.

    Raises
    ------
    ConfigError
        When no method is left.
    """
    selected = config.selected(dataset)
    methods = tuple(name for name in selected if not set(spec.tasks).isdisjoint(config.methods[name].tasks))
    if not methods:
        raise ConfigError(
            f"datasets.{dataset}.methods" if config.datasets[dataset].methods else "run.methods",
            f"{', '.join(selected)}, whose tasks {dataset} has no ground truth for",
            f"a method that learns {' or '.join(spec.tasks)}",
            f"Select one for it: datasets: {{{dataset}: {{methods: [NAME]}}}}.",
        )
    return methods


def require_method(config: ProjectConfig, method: str) -> None:
    """Refuse a method of the command line that the configuration does not describe.

    Raises
    ------
    ConfigError
    """
    if method not in config.methods:
        remedy = did_you_mean(method, config.methods, "Name a method of the configuration.")
        raise ConfigError("--method", repr(method), f"one of {', '.join(config.methods)}", remedy)


def trained_on(config: ProjectConfig, dataset: str, spec: DatasetSpec) -> tuple[str, ...]:
    """Return the methods that are trained on a data set, for themselves or as the ``trained_as`` of another."""
    return tuple(dict.fromkeys(config.methods[name].trained_as or name for name in methods_on(config, dataset, spec)))


def lacking_truth(config: ProjectConfig, dataset: str, spec: DatasetSpec) -> dict[str, tuple[Task, ...]]:
    """Return, for each method selected for a data set, its tasks without ground truth there; only if there are any."""
    lacking = {}
    for name in config.selected(dataset):
        tasks = tuple(task for task in config.methods[name].tasks if task not in spec.tasks)
        if tasks:
            lacking[name] = tasks
    return lacking


def truth_notes(lacking: Mapping[str, Sequence[Task]], methods: Collection[str], dataset: str) -> list[str]:
    """Return sentences on missing ground truth: the methods left out, and those that learn one task of two.

    Parameters
    ----------
    lacking : mapping of method to sequence of Task
        From :func:`lacking_truth`.
    methods : collection of str
        The methods that run on the data set.
    dataset : str

    Examples
    --------
    >>> truth_notes({"classes": ["semantics"]}, [], "town")
    ['Left out, as town has no ground truth of semantics: classes.']
    """
    notes = []
    for tasks in dict.fromkeys(tuple(tasks) for tasks in lacking.values() if tasks):
        names = " and ".join(tasks)
        concerned = [name for name, absent in lacking.items() if tuple(absent) == tasks]
        left_out = [name for name in concerned if name not in methods]
        reduced = [name for name in concerned if name in methods]
        if left_out:
            notes.append(f"Left out, as {dataset} has no ground truth of {names}: {', '.join(left_out)}.")
        if reduced:
            notes.append(f"Without {names}, of which {dataset} has no ground truth: {', '.join(reduced)}.")
    return notes
