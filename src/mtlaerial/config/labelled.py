"""Keys of trainings with truth in a part of the training area: shares of it, and patches that have some."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import Field

from mtlaerial.config.faults import Unfit
from mtlaerial.config.task_entry import Truth
from mtlaerial.config.tasks import Task, task_entry
from mtlaerial.errors import ConfigError

WHOLE = 100.0
"""Percent of the labelled area that a training uses where none is stated."""
Percent = Annotated[float, Field(gt=0.0, le=WHOLE)]
"""Percent of the labelled training area."""
TruthPatches = Annotated[int, Field(ge=0, le=65_536)] | Literal["equal"]
"""Patches of a batch that are drawn where a task has truth."""


def require_one_share(labelled: Mapping[Task, float]) -> None:
    """Refuse different shares of one layer, from which several tasks learn.

    Raises
    ------
    Unfit
    """
    first: dict[Truth, Task] = {}
    for task, share in labelled.items():
        name = first.setdefault(task_entry(task).truth, task)
        if labelled[name] != share:
            shares = f"{name} {labelled[name]:g}, {task} {share:g}"
            expected = f"one share, as both learn from the layer {task_entry(task).truth}"
            raise Unfit("labelled", shares, expected, "Correct one of them.")


def layer_shares(labelled: Mapping[Task, float]) -> dict[Truth, float]:
    """Return the percentages of the layers of which less than all is used.

    Examples
    --------
    >>> layer_shares({"semantics": 25, "height": 100})
    {'labels': 25}
    """
    shares = {task_entry(task).truth: share for task, share in labelled.items()}
    return {layer: share for layer, share in shares.items() if share < WHOLE}


def truth_layers(tasks: Iterable[Task]) -> list[Truth]:
    """Return the layers that some tasks learn from, each once, in the order of the tasks."""
    return list(dict.fromkeys(task_entry(task).truth for task in tasks))


def patches_per_layer(truth_patches: int | Literal["equal"], batch: int, tasks: Iterable[Task]) -> int:
    """Return the patches of a batch that are drawn where a layer has truth, for each layer of the tasks; 0 for any.

    Raises
    ------
    ConfigError
        When the batch has too few patches.

    Examples
    --------
    >>> patches_per_layer("equal", 8, ["semantics", "height"])
    4
    """
    names = list(tasks)
    layers = max(len(truth_layers(names)), 1)
    number = max(batch // layers, 1) if truth_patches == "equal" else truth_patches
    if number * layers > batch:
        observed = f"{truth_patches} for {' and '.join(names)}, with a batch of {batch}"
        expected = f"at most {batch // layers}, a part of the batch for each of the tasks"
        remedy = "Lower it, or raise training.batch."
        raise ConfigError("training.truth_patches", observed, expected, remedy)
    return number
