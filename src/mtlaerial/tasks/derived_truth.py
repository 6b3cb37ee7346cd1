"""Truth of tasks that follows from the values of a layer."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtlaerial.config.task_entry import Derivation, TaskEntry
from mtlaerial.errors import ConfigError

Derive = Callable[[Tensor, int], Tensor]
"""From values, shape (windows, rows, columns), and a number of cells to the truth, of the same shape."""
_REMEDY = "Correct the package that registers the task."
_EXPECTED = "module:function from heights and a number of cells to a tensor"


def derivation_of(entry: TaskEntry) -> tuple[Derivation, Derive]:
    """Return the derivation of a task's truth, and its function.

    Raises
    ------
    ConfigError
        When the entry has none, or its function cannot be imported.
    """
    if entry.derivation is None:
        raise ConfigError(f"task {entry.name}", "no derivation", "one, as its loss is derived_error", _REMEDY)
    return entry.derivation, _imported(entry.name, entry.derivation.function)


def derived_rows(
    entry: TaskEntry, heights: NDArray[np.float32], top: int, rows: int, cells: int
) -> NDArray[np.float32]:
    """Return some rows of a task's truth, from all rows of the layer it follows from.

    Parameters
    ----------
    entry : TaskEntry
        With a derivation.
    heights : array, shape (rows, columns), float32, metres
    top, rows : int
        The rows to return.
    cells : int
        Reach of the derivation, from :meth:`Derivation.cells`.
    """
    _, derive = derivation_of(entry)
    first, last = max(0, top - cells), min(len(heights), top + rows + cells)
    beyond = (cells - (top - first), cells - (last - top - rows))
    # The edge is repeated beyond the raster, as in the windows of training patches.
    block = np.pad(heights[first:last], (beyond, (cells, cells)), mode="edge")
    truth: NDArray[np.float32] = derive(torch.from_numpy(block)[None], cells)[0].numpy()
    return truth[cells:-cells, cells:-cells]


@cache
def _imported(task: str, target: str) -> Derive:
    module, _, attribute = target.partition(":")
    where = f"task {task}, its derivation"
    try:
        function: Any = getattr(import_module(module), attribute)
    except Exception as error:  # anything may happen while another package is imported
        problem = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ConfigError(where, f"{target!r} ({problem})", _EXPECTED, _REMEDY) from None
    if not callable(function):
        raise ConfigError(where, f"{target!r}, which is {function!r}", _EXPECTED, _REMEDY)

    def checked(values: Tensor, cells: int) -> Tensor:
        truth: Tensor = function(values, cells)
        if truth.shape != values.shape or truth.dtype != values.dtype:
            result = f"{tuple(truth.shape)} of {truth.dtype} from {tuple(values.shape)}"
            raise ConfigError(where, f"{target!r}, which returns {result}", "the same shape and dtype", _REMEDY)
        return truth

    return checked
