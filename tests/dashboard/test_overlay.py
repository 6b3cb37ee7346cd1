"""Runs laid over each other: which lines and windows the overlay has, and how they are told apart."""

from typing import Any

import pytest

from mtlaerial.dashboard.overlay import DASHES, distinct_parts, overlay


def plot(name: str, *columns: str, value: float = 1.0) -> dict[str, Any]:
    lines = [{"name": column, "x": [1], "y": [value], "line": {"color": column}} for column in columns]
    content = {"data": lines, "layout": {"showlegend": False, "yaxis": {"title": name}}}
    return {"id": name, "type": "plot", "title": name, "height": 300, "contentID": f"{name}{value}", "content": content}


def text(content: str) -> dict[str, Any]:
    return {"id": "training", "type": "text", "title": "training", "content": content}


def test_plots_of_two_runs_become_one_with_a_line_style_for_each_run() -> None:
    runs = {"city_uw_seed0": plot("loss", "height", "semantics"), "city_gls_seed0": plot("loss", "height", value=2.0)}
    [pane] = overlay({run: {"loss": window} for run, window in runs.items()})
    lines = [(line["name"], line["y"], line["line"]) for line in pane["content"]["data"]]
    assert lines == [
        ("uw: height", [1.0], {"color": "height", "dash": "solid"}),
        ("uw: semantics", [1.0], {"color": "semantics", "dash": "solid"}),
        ("gls: height", [2.0], {"color": "height", "dash": "dash"}),
    ]
    assert pane["content"]["layout"]["showlegend"]
    assert pane["content"]["layout"]["yaxis"] == {"title": "loss"}
    assert runs["city_uw_seed0"] == plot("loss", "height", "semantics")  # which the run's own page shows


def test_the_page_draws_a_plot_anew_when_either_run_goes_on() -> None:
    before, after = (
        overlay({"a": {"loss": plot("loss", "height")}, "b": {"loss": plot("loss", "height", value=value)}})[0]
        for value in (1.0, 2.0)
    )
    assert before["contentID"] != after["contentID"]
    assert before["has_compare"]  # without this mark Visdom's page asks for the windows again, without end


def test_a_plot_of_one_run_alone_is_left_out_and_texts_are_shown_for_each_run() -> None:
    panes = overlay(
        {"a": {"training": text("first"), "cosine": plot("cosine", "x")}, "b": {"training": text("second")}}
    )
    assert [(pane["title"], pane["content"]) for pane in panes] == [("a: training", "first"), ("b: training", "second")]
    assert len({pane["id"] for pane in panes}) == 2


def test_no_more_runs_are_shown_than_there_are_line_styles() -> None:
    [pane] = overlay({f"run{number}": {"loss": plot("loss", "height")} for number in range(6)})
    assert [line["line"]["dash"] for line in pane["content"]["data"]] == list(DASHES)


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["city_uw_seed0", "city_uw_seed1"], ["seed0", "seed1"]),
        (["city_uw_seed0", "town_uw_seed0"], ["city", "town"]),
        (["city_uw", "city_uw_seed0"], ["city_uw", "city_uw_seed0"]),
        (["city"], ["city"]),
    ],
)
def test_a_run_is_called_by_what_distinguishes_it(names: list[str], parts: list[str]) -> None:
    assert distinct_parts(names) == parts
