"""The methods that run on a data set: those selected for it that it has ground truth for."""

from collections.abc import Collection, Mapping, Sequence

from mtlaerial.config.dataset import DatasetSpec
from mtlaerial.config.faults import did_you_mean
from mtlaerial.config.project import ProjectConfig
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.config.tasks import Task
from mtlaerial.errors import ConfigError


def methods_on(config: ProjectConfig, dataset: str, spec: DatasetSpec) -> tuple[str, ...]:
    """Return the methods that run on a data set, in the order of their selection.

    A method is left out where the data set has ground truth for none of its tasks, or where it would repeat another one
    for want of ground truth; :func:`selection_notes` names it.

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
    repeated = repetitions(config, dataset, spec)
    with_truth = [name for name in selected if all(_has_truth(config, spec, each) for each in config.members(name))]
    methods = tuple(name for name in with_truth if name not in repeated)
    if not methods:
        raise ConfigError(
            f"datasets.{dataset}.methods" if config.datasets[dataset].methods else "run.methods",
            f"{', '.join(selected)}, whose tasks {dataset} has no ground truth for",
            f"a method that learns {' or '.join(spec.tasks)}",
            f"Select one for it: datasets: {{{dataset}: {{methods: [NAME]}}}}.",
        )
    return methods


def _has_truth(config: ProjectConfig, spec: DatasetSpec, method: str) -> bool:
    """Tell whether a data set has ground truth for a task of a method."""
    return any(map(spec.has_truth, config.methods[method].tasks))


def require_method(config: ProjectConfig, method: str) -> None:
    """Refuse a method of the command line that the configuration does not describe, or that is an ensemble.

    Raises
    ------
    ConfigError
    """
    if method not in config.methods:
        remedy = did_you_mean(method, config.methods, "Name a method of the configuration.")
        raise ConfigError("--method", repr(method), f"one of {', '.join(config.methods)}", remedy)
    if config.methods[method].ensemble:
        members = ", ".join(config.members(method))
        remedy = f"Train its members, {members}, and join their runs: mtlaerial ensemble RUN... --out DIR."
        raise ConfigError("--method", f"{method}, an ensemble", "a method that is trained itself", remedy)


def trained_on(config: ProjectConfig, dataset: str, spec: DatasetSpec) -> tuple[str, ...]:
    """Return the methods that are trained on a data set, for themselves or for others: see :func:`sources_of`."""
    methods = methods_on(config, dataset, spec)
    return tuple(dict.fromkeys(each for name in methods for each in sources_of(config, dataset, spec, name)))


def sources_of(config: ProjectConfig, dataset: str, spec: DatasetSpec, method: str) -> tuple[str, ...]:
    """Return the methods whose trainings a method's maps are made with on a data set: of an ensemble its members."""
    if not config.methods[method].ensemble:
        return (weights_of(config, dataset, spec, method),)
    repeated = repetitions(config, dataset, spec)
    return tuple(dict.fromkeys(repeated.get(member, member) for member in config.members(method)))


def weights_of(config: ProjectConfig, dataset: str, spec: DatasetSpec, method: str) -> str:
    """Return the method whose training a method takes its weights from on a data set; itself where it is trained."""
    trained = config.methods[method].trained_as
    return repetitions(config, dataset, spec).get(trained, trained) if trained else method


def repetitions(config: ProjectConfig, dataset: str, spec: DatasetSpec) -> dict[str, str]:
    """Return the methods that would repeat another one on a data set, each with the name of that.

    Without ground truth of one task, a method of both may be the same training, prediction and scoring as a method of
    the other task, e.g. equal weighting. The method that loses no task stays, else the first of the selection.
    Methods that the configuration describes twice, whatever the ground truth, both run.
    """
    selected = config.selected(dataset)
    reduced = {name for name, method in config.methods.items() if not all(map(spec.has_truth, method.tasks))}
    sources = [config.methods[each].trained_as or each for name in selected for each in config.members(name)]
    # Selected ones first, those without a lost task first among them; sorting keeps the selection's order else.
    ordered = sorted(dict.fromkeys(sources), key=lambda name: (name not in selected, name in reduced))
    repeated: dict[str, str] = {}
    for index, name in enumerate(ordered):
        earlier = [first for first in ordered[:index] if first not in repeated and {first, name} & reduced]
        same = [first for first in earlier if _same_run(config, dataset, spec, first, name)]
        if same:
            repeated[name] = same[0]
    return repeated


def _same_run(config: ProjectConfig, dataset: str, spec: DatasetSpec, *names: str) -> bool:
    """Tell whether two methods are the same training, prediction and scoring on a data set."""
    first, second = (config.methods[name] for name in names)
    tasks = [set(filter(spec.has_truth, method.tasks)) for method in (first, second)]
    same_network = config.models[first.model] == config.models[second.model]
    if not tasks[0] or tasks[0] != tasks[1] or first.weighting != second.weighting or not same_network:
        return False
    recipes = [recipe_in_force(config, spec.recipe, name, dataset) for name in names]
    return recipes[0] == recipes[1]


def lacking_truth(config: ProjectConfig, dataset: str, spec: DatasetSpec) -> dict[str, tuple[Task, ...]]:
    """Return, for each method selected for a data set, its tasks without ground truth there; only if there are any."""
    lacking = {}
    for name in config.selected(dataset):
        tasks = tuple(task for task in config.methods[name].tasks if not spec.has_truth(task))
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


def selection_notes(config: ProjectConfig, dataset: str, spec: DatasetSpec, name: str = "") -> list[str]:
    """Return a sentence on each kind of method that is left out on a data set, or learns fewer tasks there.

    Parameters
    ----------
    config : ProjectConfig
    dataset : str
        A data set of the configuration.
    spec : DatasetSpec
        Its specification.
    name : str, optional
        The data set's name in the sentences; by default ``dataset``.
    """
    name = name or dataset
    repeated = repetitions(config, dataset, spec)
    lacking = lacking_truth(config, dataset, spec)
    others = {method: tasks for method, tasks in lacking.items() if method not in repeated}
    notes = truth_notes(others, methods_on(config, dataset, spec), name)
    for first in dict.fromkeys(repeated.values()):
        methods = [method for method in config.selected(dataset) if repeated.get(method) == first]
        if methods:
            absent = dict.fromkeys(task for method in (*methods, first) for task in lacking.get(method, ()))
            repeating = f"{name} has no ground truth of {' and '.join(absent)} and it would repeat {first}"
            notes.append(f"Left out, as {repeating}: {', '.join(methods)}.")
    return notes
