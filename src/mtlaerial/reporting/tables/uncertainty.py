"""Table of uncertainty: calibration error, order of errors, and intervals, by method and predictor."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from mtlaerial.config.predictors import predictor_name
from mtlaerial.reporting.tables.columns import COVERAGE, UNCERTAINTY, Column, by_group, of_intervals
from mtlaerial.reporting.tables.constant import CONSTANT
from mtlaerial.reporting.tables.groups import OVERALL
from mtlaerial.reporting.tables.notes import panel_notes
from mtlaerial.reporting.tables.panels import Cell, Document, Panel
from mtlaerial.reporting.tables.prediction_costs import NOTE, PredictionCosts, cost_series
from mtlaerial.reporting.tables.readings.uncertainty import coverage_reading, uncertainty_reading
from mtlaerial.reporting.tables.values import MISSING, Values
from mtlaerial.reporting.tables.wide import wide_table
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.uncertainty import PREDICTED

NO_COSTS: PredictionCosts = {}
LEVEL = "90 %"
"""Level of the intervals that the table shows in detail; the highest one where it is not calibrated."""
TOLERATED = 10.0
"""Points below its level that the coverage in a bin of predicted height may be."""
LEAST_SHARE = 0.01
"""Share of the cells below which a bin's coverage is not marked: a few buildings decide it."""
MARK = " !"
WIDEST = 8
"""Columns of numbers that fit a page."""
SCORES = (Column("OA (%)", "OA"), Column("RMSE (m)", "RMSE"))
SHOWN = tuple(column for column in UNCERTAINTY if column.score != "AUSE, MAE")
"""Scores beside these; files have all."""
GUARANTEE = (
    "Intervals of heights: conformal, by bin of predicted height, from the validation tiles. Guaranteed: of a new "
    "calibration cell, exchangeable with those of the validation tiles, a pixel drawn at random is covered with a "
    "probability of at least the level. Not guaranteed: coverage at a place, by class or by true height, and in other "
    "landscapes or seasons."
)
DEFINITIONS = (
    "ECE: expected calibration error of the probabilities. AUSE: area between the error-retention curves by "
    "uncertainty and by true error, relative to the error; 0: the most uncertain have the largest errors."
)


def has_uncertainty(runs: Sequence[Scores]) -> bool:
    """Tell whether any run was scored with probabilities, deviations or intervals."""
    return any(not tile.uncertainty.empty for run in runs for tile in run.tiles.values())


def levels_of(runs: Sequence[Scores]) -> list[str]:
    """Return the levels of the intervals of some runs, such as ``90 %``, ascending."""
    levels = {level for run in runs for tile in run.tiles.values() for level in tile.uncertainty.intervals}
    return sorted(levels, key=_number)


def uncertainty_table(values: Values, costs: PredictionCosts) -> Document:
    """Lay out the uncertainties of a data set: scores beside cost, levels, and coverage by groups of cells."""
    levels, groups = levels_of(values.runs), _groups(values)
    columns = (*UNCERTAINTY, *of_intervals(levels))
    methods = [name for name in values.methods if name != CONSTANT and values.has_any(name, columns)]
    panels = [_panel(values, "uncertainty", "uncertainty", methods, (*SCORES, *SHOWN, *_shown(levels)), costs)]
    if levels:
        level = _shown_level(levels)
        panels.append(_panel(values, "levels", "intervals of height by level", methods, of_intervals(levels)))
        for key, (by, names) in groups.items():
            subject = f"coverage of {level} intervals in % by {by}"
            covered = by_group(names, COVERAGE + level)
            panels.append(_panel(values, key, subject, methods, covered))
    by_groups = of_intervals(levels, [name for _, names in groups.values() for name in names])
    wide = wide_table(values, (*SCORES, *columns, *by_groups))
    return Document(f"{values.dataset}_uncertainty", tuple(filter(None, panels)), wide)


def _groups(values: Values) -> dict[str, tuple[str, list[str]]]:
    """Return what coverage is broken down by: names for captions, and groups."""
    predicted = [PREDICTED + name for name in values.bins]
    return {
        "predicted": ("predicted height", predicted),
        "class": ("true class", values.classes),
        "true": ("true height", values.bins),
    }


def _shown(levels: Sequence[str]) -> tuple[Column, ...]:
    return of_intervals([_shown_level(levels)]) if levels else ()


def _shown_level(levels: Sequence[str]) -> str:
    return LEVEL if LEVEL in levels else levels[-1]


def _number(level: str) -> float:
    return float(level.removesuffix(" %"))


def _panel(
    values: Values,
    key: str,
    subject: str,
    methods: Sequence[str],
    columns: Sequence[Column],
    costs: PredictionCosts = NO_COSTS,
) -> Panel | None:
    """Return a table of some columns that any method has, beside costs; None without any.

    The first one says how the methods were calibrated; that of predicted height has marks.
    """
    first, marked = key == "uncertainty", key == "predicted"
    columns = [column for column in columns if any(values.has_score(method, column) for method in methods)]
    if not columns:
        return None
    texts = {column: [_text(values, method, column, marked) for method in methods] for column in columns}
    measured = cost_series(values.dataset, methods, costs)
    series = [("predictor", [Cell(_predictor(values, method)) for method in methods]), *measured]
    series += [(column.header.removeprefix(PREDICTED), list(map(Cell, cells))) for column, cells in texts.items()]
    names = list(map(values.label, methods))
    header = [label for label, _ in series]
    table = [(Cell(name), *row) for name, *row in zip(names, *(cells for _, cells in series), strict=True)]
    if transposed := len(columns) > max(WIDEST, len(methods)):  # too wide for a page
        header, table = names, [(Cell(label), *cells) for label, cells in series]
    reading = uncertainty_reading if key in ("uncertainty", "levels") else coverage_reading
    further = [*_notes(texts), *([NOTE] if measured else []), *(_calibrations(values, methods) if first else ())]
    return Panel(
        key=f"{values.dataset}-uncertainty-{key}",
        dataset=values.dataset,
        title=values.title(),
        subject=subject,
        details=values.sampling(),
        header=("", *header),
        rows=tuple(table),
        notes=panel_notes(values, methods, columns, *further),
        transposed=transposed,
        reading=reading(values, methods, columns),
    )


def _predictor(values: Values, method: str) -> str:
    run = next(run for run in values.runs if run.method == method)
    return predictor_name(run.prediction, max(1, len(run.ensemble))) if run.prediction else MISSING


def _text(values: Values, method: str, column: Column, marked: bool) -> str:
    """Return a value, with a mark where the coverage in a bin is too far below its level."""
    text, level = values.text(method, column), column.score.removeprefix(COVERAGE)
    if not marked or text == MISSING:
        return text
    low = column.shown(values(method, column)[0]) < _number(level) - TOLERATED
    return text + MARK if low and _share(values, method, level, column.group) >= LEAST_SHARE else text


def _share(values: Values, method: str, level: str, group: str) -> float:
    """Return the share of the cells that are in a group, the mean over the runs of a method."""
    shares = []
    for run in values.runs:
        groups = run.uncertainty().intervals.get(level, {}) if run.method == method else {}
        if group in groups and groups[OVERALL][0]:
            shares.append(groups[group][0] / groups[OVERALL][0])
    return fmean(shares) if shares else 0.0


def _notes(texts: Mapping[Column, Sequence[str]]) -> Iterator[str]:
    """Yield what the scores of a panel mean, and what is guaranteed."""
    cells = [text for column in texts.values() for text in column]
    if any(column in UNCERTAINTY for column in texts):
        yield DEFINITIONS
    if any(text == MISSING for text in cells):
        yield f"{MISSING} Not available: not learned, no map of probabilities or of a spread, or no calibration."
    levels = [column.score.removeprefix(COVERAGE) for column in texts if column.score.startswith(COVERAGE)]
    if any(text.endswith(MARK) for text in cells):
        bar = _number(levels[0]) - TOLERATED
        yield f"{MARK.strip()} below {bar:g} %, in a bin with at least {100 * LEAST_SHARE:g} % of the cells."
    if levels:
        yield GUARANTEE


def _calibrations(values: Values, methods: Sequence[str]) -> Iterator[str]:
    """Yield the sentences on the calibrations of some methods, each once, with the methods if not of all."""
    by_sentence: dict[str, list[str]] = {}
    for method in methods:
        sentences = [sentence for run in values.runs if run.method == method for sentence in run.calibration]
        for sentence in dict.fromkeys(sentences or ["Without a calibration."]):
            by_sentence.setdefault(sentence, []).append(method)
    for sentence, names in by_sentence.items():
        yield sentence if len(names) == len(methods) else f"{', '.join(names)}: {sentence}"
