"""Methods of a configuration that learn the same tasks from the same truth, and so are compared with each other."""

from mtlaerial.config import Task
from mtlaerial.config.labelled import WHOLE
from mtlaerial.config.tasks import leading_task
from mtlaerial.pipeline.project import Project

LEAST = 3
"""Methods of both tasks that have a trade-off worth a figure."""


def learned_truth(project: Project, fold: str, method: str) -> dict[Task, float]:
    """Return the percent of each task's truth that a method learns from; of an ensemble its first member's."""
    labelled = project.recipe(fold, project.sources_of(fold, method)[0]).training.labelled
    return {task: labelled.get(task, WHOLE) for task in project.tasks(fold, method)}


def joint_methods(project: Project, fold: str) -> list[str]:
    """Return the methods that learn the same tasks as the first with several tasks and equal weights, or any several.

    Those that learn from another share of the truth are left out, as from the tables.
    """
    truth = {method: learned_truth(project, fold, method) for method in project.methods(fold)}
    joint = [method for method, shares in truth.items() if len(shares) > 1]
    equal = [method for method in joint if project.config.methods[method].weighting.name == "equal"]
    return [method for method in joint if not equal or truth[method] == truth[equal[0]]]


def first_fold(project: Project, name: str) -> str:
    """Return the first fold of a data set, or its name with fixed splits: all folds have the same methods."""
    return next(fold for fold in project.datasets if project.source(fold) == name)


def tradeoffs(project: Project) -> list[str]:
    """Return the data sets that have a figure of the trade-off between semantics and height."""
    both = leading_task("classes"), leading_task("heights")
    names = []
    for name in project.sources:
        fold = first_fold(project, name)
        methods = [method for method in joint_methods(project, fold) if set(both) <= set(project.tasks(fold, method))]
        names += [name] if len(methods) >= LEAST else []
    return names
