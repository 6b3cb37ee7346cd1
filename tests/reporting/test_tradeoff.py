"""Trade-off between the tasks: points, sweeps, front and single tasks by hand, and what the figure says."""

from collections.abc import Sequence
from math import isnan
from pathlib import Path
from statistics import fmean, stdev

import pytest

from mtlaerial.figures import read_caption
from mtlaerial.figures.tradeoff import NOTHING, Point, Score, front
from mtlaerial.reporting.tables import collect, mean_over_seeds
from mtlaerial.reporting.tables.published import Citations
from mtlaerial.reporting.tables.values import Values
from mtlaerial.reporting.tables.weightings import comparable
from mtlaerial.reporting.tradeoff_points import CURVES, draw_tradeoff, tradeoff_points
from mtlaerial.scoring.scores import Scores
from support import tiny
from support.sample_scores import run, tile

TRUE = [0.0, 1.0, 10.0, 50.0]
NOTE = "The labels follow partly from the heights."


def scored(
    method: str, right: int, error: float, weighting: str = "equal", height_weight: float = 0, **changes: object
) -> list[Scores]:
    """Make two runs with right pixels, of 20 in each class, and an error of all heights; 0 for no such task."""
    runs = []
    for seed in (0, 1):
        hits = right + seed
        confusion = [[hits, 20 - hits, 0], [20 - hits, hits, 0]] if right else ()
        parts = [tile(confusion, TRUE if error else (), [height + error for height in TRUE]) for _ in range(2)]
        weights = {"semantics": 1.0, "height": height_weight} if height_weight else {}
        runs.append(run(method, seed, parts, weighting=weighting, final_weights=weights, **changes))
    return runs


def experiment() -> list[Scores]:
    return [
        *scored("labels", 15, 0),
        *scored("heights", 0, 2.5),
        *scored("equal", 14, 2, "equal", 1),
        *scored("much", 12, 1.5, "fixed", 10),
        *scored("little", 15, 3, "fixed", 0.1),
        *scored("upgrad", 13, 2.2, "upgrad", 2),
        *scored("upgrad_labels", 16, 2.1, "upgrad", 1.5),
    ]


def points_of(runs: Sequence[Scores]) -> list[Point]:
    values = Values(runs, mean_over_seeds(collect(runs)), Citations(()))
    return tradeoff_points(values, comparable(runs))


def test_points_are_means_and_deviations_over_seeds_in_the_units_of_the_tables() -> None:
    point = next(entry for entry in points_of(experiment()) if entry.name == "equal")
    ious = [100 * hits / (40 - hits) for hits in (14, 15)]
    assert (point.y.mean, point.y.deviation) == pytest.approx((fmean(ious), stdev(ious)))
    assert (point.x.mean, point.x.deviation) == pytest.approx((2, 0), abs=1e-9)
    assert isnan(points_of([entry for entry in experiment() if entry.seed == 0])[0].y.deviation)


def test_sweeps_go_by_the_weight_of_the_height() -> None:
    points = points_of(experiment())
    assert [(entry.sweep, entry.name) for entry in points] == [
        ("constant weights", "little"), ("constant weights", "equal"), ("constant weights", "much"),
        ("upgrad", "upgrad_labels"), ("upgrad", "upgrad"),
    ]  # fmt: skip


def test_front_has_the_points_that_no_other_beats_in_one_and_equals_in_both() -> None:
    points = points_of(experiment())
    assert [entry.name for entry in front(points)] == ["much", "equal", "upgrad_labels"]
    worse, better = (Point("", "", Score(1, 0), Score(y, 0)) for y in (1, 2))
    assert front([worse, better]) == [better]
    twins = [Point(name, "", Score(1, 0), Score(1, 0)) for name in "ab"]
    assert front(twins) == twins


def test_shares_of_the_truth_are_no_trade_off() -> None:
    some = tiny.training_spec(labelled={"semantics": 25})
    runs = [*experiment(), *scored("both_25", 17, 1, training=some), *scored("labels_25", 10, 0, training=some)]
    assert "both_25" not in {entry.name for entry in points_of(runs)}


def test_the_figure_names_methods_single_tasks_direction_and_notes(tmp_path: Path) -> None:
    path = tmp_path / "tradeoff.png"
    draw_tradeoff(experiment(), [NOTE], path, ["svg"])
    caption = read_caption(path)
    assert caption.dataset == "town"
    assert caption.title == "Small town: trade-off between the tasks"
    assert "Lines: heights and labels alone." in caption.description
    assert "better is up and to the right" in caption.description
    assert caption.description.endswith(f"2 test tiles, pooled. {CURVES} {NOTE}")
    assert path.with_suffix(".svg").is_file()


def test_without_a_method_of_both_tasks_the_figure_says_so(tmp_path: Path) -> None:
    path = tmp_path / "tradeoff.png"
    draw_tradeoff([*scored("labels", 15, 0), *scored("heights", 0, 2.5)], [], path)
    assert NOTHING in read_caption(path).description
