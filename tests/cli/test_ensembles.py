"""Ensembles on the command line: made, described, predicted with and scored as a run is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.command_line import Town, assert_says, image
from support.small_runs import drawn_run

Program = Callable[..., tuple[int, str]]


@pytest.fixture
def heights(statistics: Statistics, tmp_path: Path) -> Path:
    """Return the folder of a run that learned heights alone."""
    return drawn_run(tmp_path / "heights", tiny.run_plan(("height",), seed=1), statistics)


def height_map(folder: Path) -> np.ndarray:
    with rasterio.open(folder / "height.tif") as raster:
        return raster.read(1)


def test_runs_are_joined_described_and_predicted_with(
    run: Path, heights: Path, tmp_path: Path, program: Program
) -> None:
    joined = tmp_path / "joined"
    made = program("ensemble", run, heights, "--out", joined, "--name", "best")
    assert_says(made, f"Ensemble of 2 runs in {joined}", code=0)
    assert_says(program("describe", joined), "best, the mean of 2 networks", f"{heights}: city/equal/seed1", code=0)
    assert_says(program("ensemble", run, "--out", joined), "a run or an ensemble", "--replace")
    path = image(tmp_path)
    for name in (run, heights, joined):
        options = ("--window", "64", "--heights", "float32", "--negative-heights")
        assert program("predict", name, path, "--out", tmp_path / "maps" / name.name, *options)[0] == 0
    mean, *single = (height_map(tmp_path / "maps" / name.name) for name in (joined, run, heights))
    np.testing.assert_allclose(mean, (single[0] + single[1]) / 2, rtol=1e-6, atol=1e-6)


def test_heights_of_an_ensemble_are_a_median_where_asked(
    run: Path, heights: Path, tmp_path: Path, program: Program
) -> None:
    joined = tmp_path / "joined"
    assert program("ensemble", run, heights, "--heights", "median", "--out", joined)[0] == 0
    assert_says(program("describe", joined), "the median of the heights of 2 networks", code=0)
    assert program("ensemble", run, heights, "--heights", "mode", "--out", tmp_path / "other")[0] == 2


@pytest.mark.full("prepares, predicts and scores; tests of predictions and of tables have the parts")
def test_an_ensemble_is_a_row_beside_its_members(
    run: Path, heights: Path, town: Town, tmp_path: Path, program: Program
) -> None:
    joined, options = tmp_path / "joined", ("--root", town.root, "--name", "city", "--out", tmp_path / "scores")
    assert program("ensemble", run, heights, "--out", joined)[0] == 0
    outcome = program("score", joined, run, town.spec, *options)
    assert_says(outcome, "\njoined  ", "\nequal  ", "joined: an ensemble", "equal (seeds 0, 1)", code=0)
    assert "\\" not in outcome[1]


def test_views_are_named_and_their_cost_is_said(
    run: Path, tmp_path: Path, program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    path, maps = image(tmp_path), tmp_path / "maps"
    outcome = program("predict", run, path, "--out", maps, "--window", "64", "--views", "turns")
    assert outcome[0] == 0, outcome[1]
    assert "4 passes each: 4 views" in caplog.text
    assert (
        "Predicted with views that the training did not see: turns (training.augmentation.quarter_turns" in caplog.text
    )
    assert_says(program("predict", run, path, "--out", maps, "--views", "turn"), "--views", "Did you mean turns?")


def test_an_export_of_an_ensemble_is_refused(run: Path, tmp_path: Path, program: Program) -> None:
    assert program("ensemble", run, "--out", tmp_path / "joined")[0] == 0
    outcome = program("export", tmp_path / "joined", "--format", "pt2", "--out", tmp_path / "model.pt2")
    assert_says(outcome, "an ensemble, which has no weights of its own", f"Give one of its members: {run}.")
