"""Panel of the conflict of the tasks' gradients: cosines at both levels, over the trainings of each method."""

from collections.abc import Iterator, Sequence

from mtlaerial.config.weighting import Level
from mtlaerial.reporting.tables.panels import Cell, Note, Panel
from mtlaerial.reporting.tables.values import MISSING, Values
from mtlaerial.runs.cosines import Cosines, joined
from mtlaerial.runs.history_columns import LEVELS
from mtlaerial.scoring.scores import Scores

HEADERS = ("mean", "least", "below 0 (%)")
NOTES = (
    "Cosine of the gradients of two tasks in single batches, one in every training.log_every updates, over all seeds "
    "and folds.",
    "Only at the trunk's parameters a cosine below 0 means that a small step down one loss, taken in the trunk, raises "
    "the other. Methods that resolve conflicts do so at one of the levels: docs/weighting.md, Records.",
)


def conflict_panel(values: Values, runs: Sequence[Scores]) -> Panel | None:
    """Return the conflict that methods met, a row for each and each pair of its tasks; None without measurements."""
    levels = [level for level in LEVELS if any(part.level == level for run in runs for part in run.cosines)]
    if not levels:
        return None
    methods = dict.fromkeys(run.method for run in runs)
    rows = [row for method in methods for row in _rows(values, method, runs, levels)]
    return Panel(
        key=f"{values.dataset}-conflict",
        dataset=values.dataset,
        title=values.title(),
        subject="conflict of the tasks' gradients",
        details="Cosines over the trainings of each method.",
        header=("", "measurements", *(f"{LEVELS[level]}: {header}" for level in levels for header in HEADERS)),
        rows=tuple(rows),
        notes=tuple(map(Note, NOTES)),
        reading=_reading(runs, levels[-1]),
    )


def _rows(values: Values, method: str, runs: Sequence[Scores], levels: Sequence[Level]) -> Iterator[tuple[Cell, ...]]:
    together = joined(part for run in runs if run.method == method for part in run.cosines)
    pairs = dict.fromkeys(part.tasks for part in together)
    for pair in pairs:
        by_level = {part.level: part for part in together if part.tasks == pair}
        texts = [text for level in levels for text in _texts(by_level.get(level))]
        number = Cell(str(max(part.measurements for part in by_level.values())))
        label = values.label(method)
        yield (Cell(f"{label}: {' and '.join(pair)}" if len(pairs) > 1 else label), number, *map(Cell, texts))


def _reading(runs: Sequence[Scores], level: Level) -> str:
    parts = [part for run in runs for part in run.cosines if part.level == level]
    negative, measured = sum(part.negative for part in parts), sum(part.measurements for part in parts)
    return f"Cosines of the {LEVELS[level]} are below 0 in {100 * negative / measured:.1f} % of all measurements."


def _texts(part: Cosines | None) -> tuple[str, ...]:
    if part is None:
        return (MISSING,) * len(HEADERS)
    share = 100 * part.negative / part.measurements
    mean, least = (f"{value:.2f}".replace("-", "−") for value in (part.mean, part.least))
    return mean, least, f"{share:.1f}"
