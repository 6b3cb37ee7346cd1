"""Early stopping: the end of a training whose validation scores no longer rise."""

from collections.abc import Mapping, Sequence
from typing import Any

from mtlaerial.errors import ConfigError
from mtlaerial.runs.history_columns import SCORE
from mtlaerial.runs.plan import RunPlan
from mtlaerial.training.validation import Validator


def validations_since_best(rows: Sequence[Mapping[str, Any]], thaw: int = 0) -> int:
    """Return the number of validations after the first one with the best score; 0 before any.

    Parameters
    ----------
    rows : sequence of mapping of column to value
        Of the history.
    thaw : int
        Epochs whose validations are not counted.

    Examples
    --------
    >>> rows = [{"epoch": epoch, "val_score": score} for epoch, score in enumerate((0.4, 0.5, 0.3, 0.5), start=1)]
    >>> validations_since_best(rows), validations_since_best(rows, thaw=3)
    (2, 1)
    """
    validations = [row for row in rows if SCORE in row]
    scores = [row[SCORE] for row in validations]
    best = scores.index(max(scores)) if scores else 0
    return sum(row["epoch"] > thaw for row in validations[best + 1 :])


def last_thaw(plan: RunPlan) -> int:
    """Return the epochs after which no further part of the network begins to be trained."""
    frozen = plan.model.start.freeze.values() if plan.model.start else ()
    # A part that is frozen in all epochs is never trained.
    return max((epochs for epochs in frozen if epochs < plan.training.epochs), default=0)


def is_exhausted(plan: RunPlan, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a training has had as many validations without a better score as its patience allows.

    They are counted once all parts are trained that will be: frozen parts are not given up before they have learned.
    """
    patience = plan.training.patience
    return patience is not None and validations_since_best(rows, last_thaw(plan)) >= patience


def require_validation(plan: RunPlan, validator: Validator | None) -> None:
    """Refuse patience where no validation gives a score.

    Raises
    ------
    ConfigError
        When there is patience, and no validation tiles, or none with truth of a task of the method.
    """
    patience = plan.training.patience
    if patience is None or (validator and validator.constant):
        return
    lack = f"no validation tiles with truth of {' or '.join(plan.tasks)}" if validator else "no validation tiles"
    remedy = "List tiles with truth as val in the data set's splits or in hold_out, or remove patience."
    raise ConfigError("training.patience", f"{patience} for a data set with {lack}", "validation tiles", remedy)
