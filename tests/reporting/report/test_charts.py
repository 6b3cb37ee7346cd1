import math
from xml.etree import ElementTree

import pytest

from mtlaerial.reporting.report.charts.axes import Axis
from mtlaerial.reporting.report.charts.dataset_charts import MOST, dataset_charts
from mtlaerial.reporting.report.charts.dot_chart import dot_chart
from mtlaerial.reporting.report.charts.line_chart import line_chart
from mtlaerial.reporting.tables import collect, mean_over_seeds
from mtlaerial.reporting.tables.published import Citations
from mtlaerial.reporting.tables.values import Values
from support.report_place import scores_of
from support.sample_scores import experiment, run, tile

NAN = math.nan


def parsed(svg):
    return ElementTree.fromstring(svg)


def texts(svg):
    return [element.text for element in parsed(svg).iter("text")]


def circles(svg):
    """Return the places of the first series' markers, but for that of the legend."""
    found = [(float(element.get("cx")), float(element.get("cy"))) for element in parsed(svg).iter("circle")]
    return found[1:]


def values_of(runs):
    return Values(runs, mean_over_seeds(collect(runs)), Citations(()))


def test_axis_has_round_ends_around_the_numbers():
    axis = Axis.around("m", [1.2, 7.9], 100, 200)
    assert axis.low <= 1.2
    assert axis.high >= 7.9
    assert axis.at(axis.low) == 100
    assert axis.at(axis.high) == 200
    assert Axis.around("m", [], 0, 1, zero=True).high > 0
    assert Axis.between("%", (0, 100), 0, 1).high == 100


def test_dots_are_at_their_numbers_and_rows():
    svg = dot_chart("k", "MAE", "MAE (m)", ["low", "high"], {"a": [(1.0, NAN), (4.0, 0.5)]}, {"a": 0}, zero=True)
    (x1, y1), (x2, y2) = circles(svg)
    ticks = {float(element.text): float(element.get("x")) for element in parsed(svg).iter("text")
             if element.text.replace(".", "").isdigit()}  # fmt: skip
    assert x1 == pytest.approx(ticks[1.0], abs=0.02)
    assert x2 == pytest.approx(ticks[4.0], abs=0.02)
    assert y2 > y1
    assert {"low", "high", "a", "MAE (m)"} <= set(texts(svg))


def test_a_missing_number_has_no_dot():
    svg = dot_chart("k", "t", "F1 (%)", ["x", "y"], {"a": [(NAN, NAN), (50.0, 1.0)]}, {"a": 0})
    assert len(circles(svg)) == 1


def test_names_are_escaped_and_long_ones_shortened():
    svg = dot_chart("k", "<t>", "%", ["<script>" * 9], {"a & b": [(1.0, NAN)]}, {"a & b": 0})
    assert "<script>" not in svg
    assert "a & b" in texts(svg)
    assert any(text.endswith("…") for text in texts(svg))


def test_charts_have_title_and_description_for_screen_readers():
    svg = line_chart(
        "k", "Reliability", ("p (%)", "a (%)"), {"a": [(0.0, 1.0), (100.0, 90.0)]}, {"a": 0}, diagonal=True
    )
    root = parsed(svg)
    assert root.get("role") == "img"
    ids = {element.get("id"): element.text for element in root if element.get("id")}
    assert [ids[name] for name in root.get("aria-labelledby").split()] == ["Reliability", "a (%) over p (%) of a."]
    assert not [element for element in root.iter() if element.get("style")]


def test_higher_numbers_are_higher_and_nothing_is_drawn_where_there_is_none():
    svg = line_chart("k", "t", ("x", "y"), {"a": [(0.0, 10.0), (50.0, NAN), (100.0, 90.0)]}, {"a": 0})
    (x1, y1), (x2, y2) = circles(svg)
    assert x2 > x1
    assert y2 < y1


def test_a_data_set_has_charts_by_class_by_height_and_of_its_calibration():
    charts = dataset_charts(values_of([*scores_of("joint", 2, 0.0), *scores_of("uw", 2, 0.8)]))
    titles = [chart.title for chart in charts]
    assert titles == [
        "F1 by class", "MAE by true height", "Bias by true height: predicted minus true",
        "Accuracy over the probability of the predicted class", "Coverage of the intervals of heights",
    ]  # fmt: skip
    assert "standard deviation over seeds" in charts[0].note
    assert {"below 2 m (33 %)", "from 2 m (67 %)"} <= set(texts(charts[1].svg))
    # Ten times as many pixels in each bin, whose accuracy is 80 %.
    assert any(text.startswith("uw, ECE ") for text in texts(charts[3].svg))


def test_methods_keep_colour_and_marker_in_all_charts():
    charts = dataset_charts(values_of(experiment()))
    (squares, diamonds) = (chart.svg.count('fill="#009E73"') for chart in charts[:2])  # joint is the third method
    assert squares > 1
    assert diamonds > 1


def test_the_best_of_many_methods_are_shown_and_the_rest_said():
    runs = [run(f"m{number}", 1, [tile([[8, number, 0], [1, 9, 0]])]) for number in range(MOST + 2)]
    (chart,) = dataset_charts(values_of(runs))
    shown = [text for text in texts(chart.svg) if text.startswith("m")]
    assert shown == [f"m{number}" for number in range(MOST)]
    assert f"The {MOST} of {MOST + 2} methods" in chart.note
