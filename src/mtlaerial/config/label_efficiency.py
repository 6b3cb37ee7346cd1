"""The section ``run.label_efficiency``: methods whose scores are compared over the share of a task's truth."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from mtlaerial.config.annotations import FOLDER_NAME
from mtlaerial.config.base import Section
from mtlaerial.config.faults import Unfit
from mtlaerial.config.tasks import Task

Names = Annotated[tuple[Annotated[str, Field(pattern=FOLDER_NAME)], ...], Field(min_length=1)]


class LabelEfficiency(Section):
    """The two curves of a task, each of methods that use different shares of its truth."""

    single: Names
    """Methods that learn the task alone, from what is labelled."""
    joint: Names
    """Methods that learn other tasks too, from all of their truth."""


def require_tasks_of_curves(curves: Mapping[Task, LabelEfficiency], tasks: Mapping[str, tuple[Task, ...]]) -> None:
    """Refuse methods of a curve that do not learn the task, or learn it not alone, or not jointly.

    Parameters
    ----------
    curves : mapping of task to LabelEfficiency
    tasks : mapping of method to tuple of Task

    Raises
    ------
    Unfit
    """
    for task, curve in curves.items():
        for arm, names in (("single", curve.single), ("joint", curve.joint)):
            for name in names:
                learned = tasks[name]
                if task not in learned or (len(learned) > 1) != (arm == "joint"):
                    expected = f"methods that learn {task} {'alone' if arm == 'single' else 'and other tasks'}"
                    observed = f"{name}, which learns {' and '.join(learned)}"
                    raise Unfit(f"run.label_efficiency.{task}.{arm}", observed, expected, "Move or remove it.")
