"""Runs that could not be scored, because no test tile has ground truth of their tasks."""

from collections.abc import Iterator, Sequence

from mtlaerial.config import Layer, Task, task_entry
from mtlaerial.config.tasks import registry_order
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.misplaced import find_misplaced
from mtlaerial.errors import ConfigError
from mtlaerial.pipeline.project import Project


def require_scored(project: Project) -> None:
    """Refuse runs of which no task can be scored, unless ``run.train_unscored`` confirms them.

    Raises
    ------
    ConfigError
        For the first data set with such runs.
    """
    for name in {} if project.config.run.train_unscored else project.datasets:
        scored = scored_tasks(project, name)
        methods = project.methods(name)
        unscored = [method for method in methods if not set(project.tasks(name, method)).intersection(scored)]
        if unscored:
            _refuse(project, name, unscored, [method for method in methods if method not in unscored])


def _refuse(project: Project, name: str, unscored: Sequence[str], scored: Sequence[str]) -> None:
    lacking = dict.fromkeys(task for method in unscored for task in project.tasks(name, method))
    layers = list(dict.fromkeys(task_entry(task).truth for task in lacking))
    methods, source = ", ".join(unscored), project.source(name)
    observed = f"{methods} on {name}, which could not be scored: no test tile has {' or '.join(layers)}"
    hints = filter(None, (_hint(project.dataset(name), layer) for layer in layers))
    selection = f"select others (datasets: {{{source}: {{methods: [{', '.join(scored) or 'NAME'}]}}}})"
    confirmation = "set run.train_unscored: true to train them all the same"
    key = f"datasets.{source}.methods" if project.config.datasets[source].methods else "run.methods"
    remedy = " ".join([*hints, f"Or {selection}, or {confirmation}."])
    raise ConfigError(key, observed, "methods of which at least one task can be scored", remedy)


def _hint(dataset: Dataset, layer: Layer) -> str:
    """Return where the truth of the test tiles lies, else where to get it."""
    for tile in dataset.spec.splits.get("test", ()):
        for accepted in dataset.candidates(layer, tile):
            if misplaced := find_misplaced(dataset, accepted):
                return f"For {accepted[0].name}, {misplaced.place}. {misplaced.remedy}"
    return dataset.obtain(layer) or f"Add {layer} of test tiles."


def unscored_notes(project: Project) -> Iterator[str]:
    """Yield a sentence for each data set and task that methods learn but that no test tile has truth of."""
    for name in project.datasets:
        scored = scored_tasks(project, name)
        for task in learned_tasks(project, name):
            learning = [method for method in project.methods(name) if task in project.tasks(name, method)]
            if task not in scored:
                layer = task_entry(task).truth
                hint = _hint(project.dataset(name), layer)
                yield f"Without a score of {task}, as no test tile of {name} has {layer}: {', '.join(learning)}. {hint}"


def learned_tasks(project: Project, name: str) -> list[Task]:
    """Return the tasks that methods learn on a data set, the package's first."""
    learned = dict.fromkeys(task for method in project.methods(name) for task in project.tasks(name, method))
    return sorted(learned, key=registry_order)


def scored_tasks(project: Project, name: str) -> tuple[Task, ...]:
    """Return the learned tasks that a test tile of a data set has ground truth of; all for a generated one."""
    dataset, learned = project.datasets[name], learned_tasks(project, name)
    if project.config.datasets[project.source(name)].generate:
        return tuple(learned)
    tiles = dataset.spec.splits.get("test", ())
    return tuple(task for task in learned if any(dataset.files(task_entry(task).truth, tile) for tile in tiles))
