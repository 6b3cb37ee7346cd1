"""Layout of the tables: panels that fit a page, with captions and notes, and the same numbers as one wide table."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import pandas as pd

from mtlaerial.config import task_entry
from mtlaerial.config.tasks import leading_task
from mtlaerial.reporting.tables.collect import collect, mean_over_seeds
from mtlaerial.reporting.tables.columns import (
    BIAS,
    BOTH,
    CONSISTENCY,
    DETECTION,
    ERODED,
    GAINS,
    HEIGHT,
    POSITIVE,
    POSITIVE_RATIOS,
    RATIOS,
    SEMANTICS,
    Column,
    by_group,
    class_f1,
    in_unit,
    of_sets,
    of_task,
    unit_not_stated,
    without_classes,
)
from mtlaerial.reporting.tables.comparison import MARGIN
from mtlaerial.reporting.tables.costs import Costs
from mtlaerial.reporting.tables.everything import everything
from mtlaerial.reporting.tables.gain import gain_text
from mtlaerial.reporting.tables.label_efficiency import Curves, label_efficiency
from mtlaerial.reporting.tables.left_out import left_out_alike
from mtlaerial.reporting.tables.main_note import main_note
from mtlaerial.reporting.tables.notes import bold_rule, missing, panel_notes
from mtlaerial.reporting.tables.panels import Cell, Document, Panel
from mtlaerial.reporting.tables.prediction_costs import PredictionCosts
from mtlaerial.reporting.tables.published import Citations, Published
from mtlaerial.reporting.tables.readings.groups import class_reading, height_reading
from mtlaerial.reporting.tables.readings.scores import scores_reading
from mtlaerial.reporting.tables.run_objects import objects_table, with_objects
from mtlaerial.reporting.tables.score_rows import SQUARED_SHARE
from mtlaerial.reporting.tables.steps import Chains, steps
from mtlaerial.reporting.tables.uncertainty import has_uncertainty, uncertainty_table
from mtlaerial.reporting.tables.values import Values
from mtlaerial.reporting.tables.weightings import weightings
from mtlaerial.reporting.tables.wide import wide_table
from mtlaerial.scoring.scores import Scores

GROUPED_MASKS = {"all": "", "positive": "h > 0, "}
"""Masks of the heights by group, and the prefixes of their columns."""
WIDEST = 8
"""Columns of numbers that fit a page."""
Reading = Callable[[Values, Sequence[str], Sequence[Column]], str]
"""The reading of some methods and columns."""


def build_documents(
    scores: Sequence[Scores],
    published: Published | None = None,
    summary: pd.DataFrame | None = None,
    costs: Costs | None = None,
    notes: Mapping[str, Sequence[str]] | None = None,
    ablations: Mapping[str, Chains] | None = None,
    margins: Mapping[str, float] | None = None,
    curves: Curves | None = None,
    prediction_costs: PredictionCosts | None = None,
) -> tuple[Document, ...]:
    """Lay out the tables of all data sets.

    Parameters
    ----------
    scores : sequence of Scores
        One per run, in the order of the tables.
    published : mapping of data set to sequence of PublishedSpec, optional
        Published numbers.
    summary : DataFrame, optional
        From :func:`mtlaerial.reporting.tables.mean_over_seeds`, if it is computed already.
    costs : Costs, optional
        Costs of the trainings, shown beside the weightings; they differ from run to run.
    notes : mapping of data set to sequence of str, optional
        Sentences on methods and runs, for below the tables.
    ablations : mapping of data set to sequence of sequence of str, optional
        Methods in the order of their steps, for each ablation.
    margins : mapping of data set to float, optional
        Effects that do not matter in the comparisons (``run.comparison.margin``).
    curves : mapping of task to LabelEfficiency, optional
        Methods with different shares of a task's truth.
    prediction_costs : PredictionCosts, optional
        Costs of the predictions, shown beside the uncertainties; they differ from run to run.

    Returns
    -------
    tuple of Document
        Four per data set: the main one, heights by true height, heights by class, comparison of weightings; then those
        of uncertainty, of objects, of the steps of ablations, and of label efficiency, where there are any. The last
        one has every score of all data sets.
    """
    summary = mean_over_seeds(collect(scores)) if summary is None else summary
    documents: list[Document] = []
    every: list[Values] = []
    for dataset in dict.fromkeys(run.dataset for run in scores):
        citations = Citations((published or {}).get(dataset, ()))
        runs = left_out_alike([run for run in scores if run.dataset == dataset])
        values = Values(runs, summary, citations, (notes or {}).get(dataset, ()))
        every.append(values)
        documents += [
            _main(values),
            _heights(values, "by_height", "true height", values.bins),
            _heights(values, "height_by_class", "class", values.classes),
            weightings(values, costs or {}, (margins or {}).get(dataset, MARGIN)),
        ]
        if has_uncertainty(runs):
            documents.append(uncertainty_table(values, prediction_costs or {}))
        if with_objects(runs):
            documents.append(objects_table(values))
        if chains := (ablations or {}).get(dataset):
            documents.append(steps(values, chains))
        if curves:
            documents.append(label_efficiency(values, curves, costs))
    return (*documents, everything(every, summary))


def _main(values: Values) -> Document:
    semantics, without, eroded, eroded_without = _semantics(values)
    sets = _scored(values, of_sets(values.class_sets))
    both = _scored(values, (*BOTH, *without_classes(BOTH, values.left_out), *CONSISTENCY))
    height, bias, gains = (_scored(values, columns) for columns in (HEIGHT, BIAS, GAINS))
    unit = _scored(values, in_unit(HEIGHT, values.unit))
    positive = _scored(values, (*POSITIVE, *in_unit(POSITIVE, values.unit)))
    # Ratios over all h > 0 are dominated by ground of a few millimetres: only to compare with publications.
    ratios = tuple(column for column in POSITIVE_RATIOS if values.citations.values(column))
    objects = _scored(values, (*RATIOS, *DETECTION))
    of_unknown_unit = _scored(values, unit_not_stated((*HEIGHT, *POSITIVE)))
    of_classes = (*semantics, *without, *eroded, *eroded_without)
    columns = (*of_classes, *sets, *both, *height, *unit, *bias, *positive, *objects, *ratios, *gains)
    leading = zip((leading_task("classes"), leading_task("heights")), (semantics, height), strict=True)
    tasks = " and ".join(name for name, part in leading if part)
    left_out = dict.fromkeys(", ".join(names) for names in values.left_out if names)
    away, some = "semantics away from class boundaries", f"without {' or '.join(left_out)}"
    note = main_note(values, bool(gains))
    if len(values.methods) + len(values.citations.entries) < WIDEST:
        panels = [_panel(values, "main", tasks, (*columns, *of_unknown_unit), note)]
    else:
        panels = [
            _panel(values, "main", f"{tasks}, over all pixels with truth", (*semantics, *height, *gains), note),
            _panel(values, "without", f"semantics {some}", without),
            _panel(values, "sets", "sets of classes, each scored as one class", sets),
            _panel(values, "eroded", away, eroded),
            _panel(values, "eroded-without", f"{away}, {some}", eroded_without),
            _panel(values, "both", "both tasks at once, and bias of height", (*both, *bias)),
            _panel(values, "unit", "height over all valid cells, in another unit", unit),
            _panel(values, "positive", "height over cells with 0 < h < 9000 m", positive),
            _panel(values, "objects", "heights above 1 m", objects),
            _panel(values, "ratios", "ratios of heights over cells with 0 < h < 9000 m", ratios),
            _panel(values, "unit-not-stated", "published errors whose source does not state the unit", of_unknown_unit),
        ]
    f1 = class_f1(values.runs[0].classes) if semantics else ()
    f1_without = _scored(values, without_classes(f1, values.left_out))
    panels.append(_panel(values, "f1", "F1 of each class", f1, reading=class_reading))
    panels.append(_panel(values, "f1-without", f"F1 of each class, {some}", f1_without, reading=class_reading))
    further = {task: _scored(values, of_task(task)) for task in values.further_tasks}
    panels += [_panel(values, task, f"{task}: {task_entry(task).plural}", part) for task, part in further.items()]
    wide = (*columns, *f1, *f1_without, *(column for part in further.values() for column in part))
    return Document(values.dataset, tuple(filter(None, panels)), wide_table(values, wide))


def _semantics(values: Values) -> Iterator[tuple[Column, ...]]:
    """Yield the columns of semantic scores with all labels and with eroded ones, each over all classes and some."""
    for columns in (SEMANTICS, ERODED):
        yield _scored(values, columns)
        yield _scored(values, without_classes(columns, values.left_out))


def _heights(values: Values, stem: str, by: str, groups: Sequence[str]) -> Document:
    cells = f"by {by}, over all valid cells"
    subjects = {score: f"{score} of height in metres {cells}" for score in ("MAE", "RMSE", "bias")}
    subjects[SQUARED_SHARE] = f"share of the squared error of height in % {cells}"
    panels = []
    for score, subject in subjects.items():
        columns = _scored(values, by_group(groups, score))
        key = f"{stem}-{score}".lower().replace(" ", "-")
        panels.append(_panel(values, key, subject, columns, values.shares(groups), height_reading))
    wide: list[Column] = []
    for mask, prefix in GROUPED_MASKS.items():
        for score in subjects:
            unit = "%" if score == SQUARED_SHARE else "m"
            wide += by_group(groups, score, mask, f"{score} ({unit}), {prefix}")
    return Document(f"{values.dataset}_{stem}", tuple(filter(None, panels)), wide_table(values, wide))


def _scored(values: Values, columns: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns that a method or a publication has: not every data set has all layers, nor all classes."""
    return tuple(
        column
        for column in columns
        if values.citations.values(column) or any(values.has_score(method, column) for method in values.methods)
    )


def _panel(
    values: Values,
    key: str,
    subject: str,
    columns: Sequence[Column],
    note: str = "",
    reading: Reading = scores_reading,
) -> Panel | None:
    """Return a table of some columns, and the methods and sources that have any of them; None without any."""
    methods = [method for method in values.methods if values.has_any(method, columns)]
    sources = values.citations.cited(columns)
    if not methods and not sources:
        return None
    names = [*map(values.label, methods), *map(values.citations.label, sources)]
    cells = [_cells(values, column, methods, sources) for column in columns]
    headers = [column.header for column in columns]
    if transposed := len(columns) > max(WIDEST, len(names)):  # too wide for a page: a row per score
        header, rows = ["", *names], [[Cell(label), *row] for label, row in zip(headers, cells, strict=True)]
    else:
        header, rows = ["", *headers], [[Cell(name), *row] for name, *row in zip(names, *cells, strict=True)]
    details = (values.sampling() if methods else "", gain_text(values.runs) if GAINS[0] in columns else "")
    explanations = (missing(values, methods, columns), bold_rule(methods, columns), note)
    notes = panel_notes(values, methods, columns, *explanations) if methods else values.citations.notes(columns)
    return Panel(
        key=f"{values.dataset}-{key}",
        dataset=values.dataset,
        title=values.title(),
        subject=subject,
        details=" ".join(filter(None, details)),
        header=tuple(header),
        rows=tuple(map(tuple, rows)),
        notes=tuple(notes),
        transposed=transposed,
        reading=reading(values, methods, columns),
    )


def _cells(values: Values, column: Column, methods: Sequence[str], sources: Sequence[int]) -> list[Cell]:
    winner = values.winner(column)
    scored = [Cell(values.text(method, column), bold=method == winner) for method in methods]
    return [*scored, *(Cell(values.citations.text(source, column)) for source in sources)]
