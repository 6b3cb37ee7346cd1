"""Early stopping: the end of a training whose validation scores no longer rise."""

from collections.abc import Mapping, Sequence
from typing import Any

from mtlaerial.errors import ConfigError
from mtlaerial.runs.history_columns import SCORE
from mtlaerial.runs.plan import RunPlan
from mtlaerial.training.validation import Validator


def validations_since_best(rows: Sequence[Mapping[str, Any]]) -> int:
    """Return the number of validations after the first one with the best score; 0 before any.

    Parameters
    ----------
    rows : sequence of mapping of column to value
        Of the history.

    Examples
    --------
    >>> validations_since_best([{"val_score": 0.4}, {"val_score": 0.5}, {}, {"val_score": 0.5}])
    1
    """
    scores = [row[SCORE] for row in rows if SCORE in row]
    return len(scores) - 1 - scores.index(max(scores)) if scores else 0


def is_exhausted(plan: RunPlan, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a training has had as many validations without a better score as its patience allows."""
    patience = plan.training.patience
    return patience is not None and validations_since_best(rows) >= patience


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
