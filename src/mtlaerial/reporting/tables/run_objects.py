"""Tables of the objects of maps: detection and heights of each seed and over seeds, and by size and height."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from mtlaerial.reporting.tables.notes import panel_notes
from mtlaerial.reporting.tables.object_columns import DETECTION, HEIGHTS, ObjectColumn
from mtlaerial.reporting.tables.object_scores import DEFINITIONS, PUBLISHED, PUBLISHED_NOTE
from mtlaerial.reporting.tables.panel_files import Row
from mtlaerial.reporting.tables.panels import Cell, Document, Note, Panel
from mtlaerial.reporting.tables.readings.objects import objects_reading
from mtlaerial.reporting.tables.values import Values
from mtlaerial.scoring.object_sums import OVERALL, ObjectSums
from mtlaerial.scoring.scores import Scores

BUILDING = "building"
"""The class that published numbers are of."""
BY_GROUP = (*DETECTION[:4], DETECTION[5], *HEIGHTS[:3])
PARTS = {
    "detection": "detection and overlap",
    "heights": "heights of matched objects",
    "groups": "by size and height",
}
"""What the tables of a class are of, by their keys."""
Seeds = Mapping[int, Mapping[str, ObjectSums]]
"""Sums by seed and group."""


def with_objects(runs: Sequence[Scores]) -> list[Scores]:
    """Return the runs with scores of objects that are of the same specification as those of the first such run."""
    scored = [run for run in runs if run.objects]
    first = next((run.objects.spec for run in scored if run.objects), None)
    return [run for run in scored if run.objects and run.objects.spec == first]


def objects_table(values: Values) -> Document:
    """Lay out the objects of a data set: for each class detection, heights, and both by size and height."""
    runs = with_objects(values.runs)
    assert runs[0].objects
    panels: list[Panel] = []
    for name in runs[0].objects.spec.classes:
        methods = _by_method(runs, name)
        detection = [*_rows(values, methods, DETECTION), *([PUBLISHED] if name == BUILDING else [])]
        published = [PUBLISHED_NOTE] if name == BUILDING else []
        panels.append(_panel(values, methods, name, "detection", DETECTION, detection, published))
        heights = _shown(HEIGHTS, methods)
        if heights:
            rows = _rows(values, methods, heights)
            panels.append(_panel(values, methods, name, "heights", heights, rows))
        rows = _group_rows(values, methods)
        panels.append(_panel(values, methods, name, "groups", BY_GROUP, rows))
    return Document(f"{values.dataset}_objects", tuple(panels), _wide(runs))


def _by_method(runs: Sequence[Scores], name: str) -> dict[str, Seeds]:
    """Return the sums over the objects of a class, by method, seed and group."""
    methods: dict[str, dict[int, Mapping[str, ObjectSums]]] = {}
    for run in runs:
        assert run.objects
        methods.setdefault(run.method, {})[run.seed] = run.objects.classes.get(name, {OVERALL: ObjectSums()})
    return dict(methods)


def _shown(columns: Sequence[ObjectColumn], methods: Mapping[str, Seeds]) -> list[ObjectColumn]:
    """Return the columns that have a value in any run; none without heights."""
    every = [groups[OVERALL] for seeds in methods.values() for groups in seeds.values()]
    shown = [column for column in columns if any(column.value(sums) == column.value(sums) for sums in every)]
    return shown if any(sums.heights for sums in every) else []


def _rows(values: Values, methods: Mapping[str, Seeds], columns: Sequence[ObjectColumn]) -> Iterator[Row]:
    """Yield a row of each method over its seeds, and of several seeds one of each."""
    for method, seeds in methods.items():
        every = [groups[OVERALL] for groups in seeds.values()]
        yield values.label(method), *(column.text(every) for column in columns)
        if len(seeds) > 1:
            for seed, sums in zip(seeds, every, strict=True):
                yield f"{method}, seed {seed}", *(column.text([sums]) for column in columns)


def _group_rows(values: Values, methods: Mapping[str, Seeds]) -> Iterator[Row]:
    """Yield a row of each group of each method, over its seeds."""
    for method, seeds in methods.items():
        names = dict.fromkeys(name for groups in seeds.values() for name in groups if name != OVERALL)
        for name in names:
            every = [groups.get(name, ObjectSums()) for groups in seeds.values()]
            yield f"{values.label(method)}, {name}", *(column.text(every) for column in BY_GROUP)


def _panel(
    values: Values,
    methods: Mapping[str, Seeds],
    name: str,
    part: str,
    columns: Sequence[ObjectColumn],
    rows: Iterator[Row] | Sequence[Row],
    notes: Sequence[Note] = (),
) -> Panel:
    overall = {method: [groups[OVERALL] for groups in seeds.values()] for method, seeds in methods.items()}
    sentences = [DEFINITIONS, _specification(values, name), _others(values, methods)]
    return Panel(
        key=f"{values.dataset}-objects-{name}-{part}".replace(" ", "-"),
        dataset=values.dataset,
        title=values.title(),
        subject=f"objects of class {name}, {PARTS[part]}",
        details=values.sampling(),
        header=("", *(column.header for column in columns)),
        rows=tuple(tuple(map(Cell, row)) for row in rows),
        notes=(*panel_notes(values, list(methods), (), *sentences), *notes),
        reading=objects_reading(overall, columns),
    )


def _specification(values: Values, name: str) -> str:
    (run, *_) = with_objects(values.runs)
    assert run.objects
    spec = run.objects.spec
    outlines = "outlines along pixels; true ones alike from the labels"
    if spec.regularise:
        outlines = "regularised outlines; true ones from the labels, along pixels"
    return (
        f"Objects: connected pixels of {name} of at least {spec.min_area:g} m² in the test tiles' maps, as one region, "
        f"with {outlines}."
    )


def _others(values: Values, methods: Mapping[str, Seeds]) -> str:
    others = dict.fromkeys(run.method for run in values.runs if run.seed not in methods.get(run.method, {}))
    return f"Not scored on such objects, or not all seeds: {', '.join(others)}." if others else ""


def _wide(runs: Sequence[Scores]) -> pd.DataFrame:
    """Return all scores of all groups, a row for each run, class and group."""
    rows = []
    for run in runs:
        assert run.objects
        for name, groups in run.objects.classes.items():
            for group, sums in groups.items():
                numbers = {column.header: column.value(sums) for column in (*DETECTION, *HEIGHTS)}
                rows.append({"method": run.method, "seed": run.seed, "class": name, "objects": group, **numbers})
    return pd.DataFrame(rows)
