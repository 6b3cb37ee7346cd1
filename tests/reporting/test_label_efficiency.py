"""Curves over the share of a task's truth: points and differences by hand, notes, costs, and the figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.config import ProjectConfig
from mtlaerial.config.label_efficiency import LabelEfficiency
from mtlaerial.errors import ConfigError
from mtlaerial.figures import read_caption
from mtlaerial.models import build_model
from mtlaerial.reporting.inference.differences import Difference
from mtlaerial.reporting.label_curves import curve_panels, draw_curves
from mtlaerial.reporting.tables import Costs, Document, collect, mean_over_seeds
from mtlaerial.reporting.tables.bold import Bold
from mtlaerial.reporting.tables.label_efficiency import label_efficiency
from mtlaerial.reporting.tables.marks import marks
from mtlaerial.reporting.tables.published import Citations
from mtlaerial.reporting.tables.shares import Measure
from mtlaerial.reporting.tables.values import Values
from mtlaerial.runs.cost import Cost
from mtlaerial.scoring.scores import Scores
from support import tiny
from support.sample_scores import run, tile

CURVES = {
    "semantics": LabelEfficiency(single=("alone", "alone_25"), joint=("both", "both_25")),
    "height": LabelEfficiency(single=("height", "height_5"), joint=("both", "both_5")),
}
TRUE = [0.0, 1.0, 10.0, 50.0]
RUN = {"datasets": ["town"], "methods": ["alone", "both"], "seeds": [0]}
NOTE = "The labels follow partly from the heights."


def scored(method: str, right: int, error: float, labelled: dict[str, float]) -> list[Scores]:
    """Make runs with a number of right pixels, of 20 in each class (0: no classes), and an error of all heights."""
    runs = []
    for seed in (0, 1):
        hits = right + seed
        confusion = [[hits, 20 - hits, 0], [20 - hits, hits, 0]] if right else ()
        predicted = [height + error for height in TRUE]
        parts = [tile(confusion, TRUE if error else (), predicted) for _ in range(2)]
        runs.append(run(method, seed, parts, training=tiny.training_spec(labelled=labelled)))
    return runs


def experiment(**changes: object) -> list[Scores]:
    runs = [
        *scored("alone", 16, 0, {}),
        *scored("alone_25", 10, 0, {"semantics": 25}),
        *scored("height", 0, 2, {"height": 100}),
        *scored("height_5", 0, 4, {"height": 5}),
        *scored("both", 17, 2, {}),
        *scored("both_25", 14, 2, {"semantics": 25}),
        *scored("both_5", 17, 3, {"height": 5}),
    ]
    return [entry.model_copy(update=changes) for entry in runs]


def document(runs: Sequence[Scores], notes: Sequence[str] = (), costs: Costs | None = None) -> Document:
    values = Values(runs, mean_over_seeds(collect(runs[:1])), Citations(()), notes)
    return label_efficiency(values, CURVES, costs)


def iou(hits: int) -> float:
    """Return the mIoU of a number of right pixels, of 20 in each class."""
    return hits / (40 - hits)


def row_of(table: Document, **where: object) -> Any:
    chosen = table.wide
    for column, value in where.items():
        chosen = chosen[chosen[column] == value]
    return next(chosen.itertuples(index=False))


def test_each_share_has_both_scores_and_their_difference() -> None:
    table = document(experiment())
    for percent, alone, both in ((100, 16, 17), (25, 10, 14)):
        single, joint = ((iou(hits) + iou(hits + 1)) / 2 for hits in (alone, both))
        where = {"task": "semantics", "score": "mIoU", "percent": percent}
        assert row_of(table, **where, curve="single").value == pytest.approx(100 * single)
        assert row_of(table, **where, curve="joint").value == pytest.approx(100 * joint)
        gain = row_of(table, **where, curve="joint - single")
        assert (gain.value, gain.seeds, gain.tiles) == (pytest.approx(100 * (joint - single)), 2, 2)
        assert gain.low <= gain.value <= gain.high
    # 4 m to 3 m is a quarter less, whatever the seed and the tile.
    gain = row_of(table, task="height", score="MAE", percent=5, curve="joint - single")
    assert (gain.value, gain.low, gain.high, gain.unit) == (pytest.approx(-25),) * 3 + ("%",)


def test_panels_name_what_there_is_a_share_of_and_what_is_learned_besides() -> None:
    table = document(experiment(), notes=[NOTE])
    panels = {panel.key.removeprefix("town-label-efficiency-"): panel for panel in table.panels}
    assert list(panels) == ["semantics-miou", "height-mae", "height-rmse"]
    semantics, height = panels["semantics-miou"], panels["height-mae"]
    assert semantics.header == ("labels used", "single (%)", "joint (%)", "joint − single (points)")
    assert [row[0].text for row in semantics.rows] == ["100 %", "25 %"]
    assert [row[0].text for row in height.rows] == ["100 %", "5 %"]
    texts = [note.text for note in semantics.notes]
    assert "The joint methods learn from all heights besides." in texts
    assert NOTE in texts
    assert "The joint methods learn from all labels besides." in [note.text for note in height.notes]


def test_sets_of_classes_have_curves_and_say_what_they_are() -> None:
    sets = {"built": ("road",), "green": ("house",)}
    runs = experiment(class_sets=sets)
    panel = next(entry for entry in document(runs).panels if "class-sets" in entry.key)
    assert "Class sets, each scored as one class: built = road; green = house." in [note.text for note in panel.notes]
    assert [entry.title for entry in curve_panels(Bold(runs), CURVES)] == [
        "semantics: mIoU", "semantics: mIoU of class sets", "height: MAE", "height: RMSE",
    ]  # fmt: skip


def test_a_share_that_one_method_lacks_has_the_score_of_the_other() -> None:
    runs = [entry for entry in experiment() if entry.method != "both_25"]
    panel = document(runs).panels[0]
    assert [cell.text for cell in panel.rows[1]][2:] == ["–", "–"]


@pytest.mark.parametrize(("length", "expected"), [(False, (0.0, 1.0)), (True, (0.0, 5.3))])
def test_intervals_of_scores_end_where_there_are_no_such_scores(length: bool, expected: tuple[float, float]) -> None:
    """Of two seeds they are some 12.7 times as wide as the error of the mean."""
    score = Difference(0.2, seed_error=0.4, tile_error=0.0, rest_error=0.0, seeds=2, tiles=5)
    measure = Measure("MAE" if length else "mIoU", "", "", length)
    assert measure.interval(score) == pytest.approx(expected, abs=0.02)
    untested = Difference(0.2)
    assert measure.interval(untested) == pytest.approx((float("nan"), float("nan")), nan_ok=True)


def test_a_second_method_of_the_same_share_is_said_to_be_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CURVES, "semantics", LabelEfficiency(single=("alone",), joint=("both", "both_again")))
    table = document([*experiment(), *scored("both_again", 5, 2, {})])
    assert row_of(table, score="mIoU", curve="joint").method == "both"
    panel = next(panel for panel in table.panels if "semantics" in panel.subject)
    notes = [note.text for note in panel.notes]
    assert "Passed over: both_again, as both uses 100 % of the truth too." in notes
    assert not any("Passed over" in note.text for panel in document(experiment()).panels[1:] for note in panel.notes)


def test_one_network_is_cheaper_than_two() -> None:
    seconds = {"alone": 0.5, "height": 0.25, "both": 0.5}
    costs = {
        ("town", name, 0): Cost(seconds_per_step=time, peak_memory_mb=1, device="CPU") for name, time in seconds.items()
    }
    runs = experiment(network=tiny.model_spec())
    panel = document(runs, costs=costs).panels[-1]
    of_tasks = {"semantics": 2}, {"height": 1}, {"semantics": 2, "height": 1}
    sizes = [
        sum(weight.numel() for weight in build_model(tiny.model_spec(), 3, some).parameters()) for some in of_tasks
    ]
    parameters = (*sizes[:2], sizes[0] + sizes[1], sizes[2])
    assert [row[1].text for row in panel.rows] == [f"{number / 1e6:.2f}" for number in parameters]
    hours = 0.5 * tiny.training_spec().steps / 3600
    assert [row[3].text for row in panel.rows] == [f"{hours * part:.2f}" for part in (1, 0.5, 1.5, 1)]
    assert document(runs).panels[-1].header == ("", "parameters (million)")


def test_the_figure_has_a_panel_for_each_score_and_the_notes(tmp_path: Path) -> None:
    path = tmp_path / "label_efficiency.png"
    draw_curves(experiment(), CURVES, {"town": [NOTE]}, {"town": path}, ["svg"])
    caption = read_caption(path)
    assert caption.dataset == "town"
    assert caption.title == "Small town: label efficiency"
    assert NOTE in caption.description
    assert path.with_suffix(".svg").is_file()
    panels = curve_panels(Bold(experiment()), CURVES)
    points = panels[0].curves["jointly, with all heights"]
    assert [point.percent for point in points] == [100, 25]
    assert points[1].score == pytest.approx(50 * (iou(14) + iou(15)))


@pytest.mark.parametrize(
    ("curve", "message"),
    [
        ({"single": ["both"], "joint": ["both"]}, r"semantics\.single: found both, which learns semantics and height;"),
        ({"single": ["alone"], "joint": ["alone"]}, "expected methods that learn semantics and other tasks"),
        ({"single": ["alon"], "joint": ["both"]}, "found 'alon'; expected selected methods"),
    ],
)
def test_curves_of_other_methods_are_refused(curve: dict[str, list[str]], message: str) -> None:
    data = {
        "run": {
            "datasets": ["town"],
            "methods": ["alone", "both"],
            "seeds": [0],
            "label_efficiency": {"semantics": curve},
        },
        "datasets": {"town": {"spec": "town.yaml", "root": "town"}},
        "models": {"net": {}},
        "model": "net",
        "methods": {"alone": {"tasks": ["semantics"]}, "both": {"tasks": ["semantics", "height"]}},
    }
    with pytest.raises(ConfigError, match=message):
        ProjectConfig.parse(data, "configuration")


def test_a_share_of_the_truth_marks_a_row_of_the_other_tables_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtlaerial.reporting.tables.label_efficiency.cost_panel", lambda *_: None)
    runs = experiment(network=tiny.model_spec())
    difference = marks(runs)["alone_25"].difference
    assert difference == "training.labelled semantics 25 instead of all"
    texts = " ".join(note.text for panel in document(runs).panels for note in panel.notes)
    assert "training.labelled" not in texts
