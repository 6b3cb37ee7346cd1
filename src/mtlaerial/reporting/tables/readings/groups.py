"""Reading of a table by class or by bin of heights: where the best method is good, and where it is not."""

from collections.abc import Sequence

from mtlaerial.reporting.tables.columns import HEIGHT, SEMANTICS, Column
from mtlaerial.reporting.tables.groups import CLASS
from mtlaerial.reporting.tables.readings.scores import by_rank, sentence, value_text
from mtlaerial.reporting.tables.score_rows import SQUARED_SHARE
from mtlaerial.reporting.tables.values import Values

(MIOU,) = (column for column in SEMANTICS if column.score == "mIoU")
(MAE,) = (column for column in HEIGHT if column.score == "MAE")


def class_reading(values: Values, methods: Sequence[str], columns: Sequence[Column]) -> str:
    """Return the reading of scores by class: the best and the worst class of the method with the best mIoU."""
    extremes = _extremes(values, methods, columns, MIOU)
    if extremes is None:
        return ""
    method, worst, best = extremes
    found, missed = (_named(values, method, column) for column in (best, worst))
    if best == worst:
        return sentence([f"Only {found} has a score, of {method}"])
    return sentence([f"{method}, best in mIoU, finds {found} best and {missed} worst"])


def height_reading(values: Values, methods: Sequence[str], columns: Sequence[Column]) -> str:
    """Return the reading of errors by class or by bin of true height, of the method with the lowest MAE."""
    extremes = _extremes(values, methods, columns, MAE)
    if extremes is None:
        return ""
    method, least, most = extremes
    low, high = (_named(values, method, column) for column in (least, most))
    if least == most:
        return sentence([f"Only {high} has a score, of {method}, lowest in MAE"])
    score = most.score
    if score == SQUARED_SHARE:
        return sentence([f"The largest part of the squared error of {method}, lowest in MAE, is in {high}"])
    if score == "bias":
        return sentence([f"{method}, lowest in MAE, has its lowest bias in {low} and its highest in {high}"])
    return sentence([f"{method}, lowest in MAE, errs least in {low} and most in {high}"])


def _extremes(
    values: Values, methods: Sequence[str], columns: Sequence[Column], overall: Column
) -> tuple[str, Column, Column] | None:
    """Return the method that is best over all cells, and its columns with the lowest and the highest value."""
    ranked = by_rank(values, methods, overall)
    if not ranked:
        return None
    method = ranked[0]
    scored = sorted(
        (column for column in columns if values.has_score(method, column)),
        key=lambda column: values(method, column)[0],
    )
    return (method, scored[0], scored[-1]) if scored else None


def _named(values: Values, method: str, column: Column) -> str:
    return f"{column.group.removeprefix(CLASS)} ({value_text(values, method, column)})"
