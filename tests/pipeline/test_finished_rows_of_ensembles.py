"""Finished rows of ensembles and of their members."""

from dataclasses import replace
from pathlib import Path

from mtlaerial.pipeline.finished_rows import find_rows, row_path, taken_runs
from mtlaerial.pipeline.run_keys import run_keys
from mtlaerial.pipeline.runs_here import RunKey
from support import tiny
from support.row_checkouts import CONFIG, ROWS, RUN, Build
from support.small_rows import write_row


def test_ensemble_is_known_by_the_keys_of_its_members(build: Build) -> None:
    ensemble = {"methods": {"mean": {"ensemble": {"members": ["equal"], "seeds": "all"}}}, "run": {"methods": ["mean"]}}
    keys, (run,) = run_keys(build(ensemble), "city", "mean", 0), find_rows(build(ensemble)).kept
    assert run == RunKey("city", "mean", 0)
    assert not keys.difference(run_keys(build(ensemble), "city", "mean", 0).values)
    changed = keys.difference(run_keys(build(ensemble, {"training": {"batch": 1}}), "city", "mean", 0).values)
    assert changed.startswith("train.equal.seed0.plan.training.batch 1 instead of 2, train.equal.seed1.")


def test_row_of_an_ensemble_without_the_average_of_heights_is_one_of_means(build: Build) -> None:
    mean = {"methods": {"mean": {"ensemble": {"members": ["equal"]}}}, "run": {"methods": ["mean"]}}
    median = {"methods": {"mean": {"ensemble": {"heights": "median"}}}}
    of_mean, of_median = (run_keys(build(mean, change), "city", "mean", 0) for change in ({}, median))
    earlier = {key: value for key, value in of_mean.values.items() if key != "predict.heights"}
    assert len(earlier) == len(of_mean.values) - 1
    assert not of_mean.difference(earlier)
    assert of_median.difference(of_mean.values) == "predict.heights mean instead of median"
    assert of_median.difference(earlier)
    assert of_mean.digest == replace(of_mean, values=earlier).digest != of_median.digest


MEAN = {"mean": {"ensemble": {"members": ["equal", "later"]}}}


def test_training_that_an_ensemble_without_a_row_needs_here_is_not_taken(build: Build, row: Path) -> None:
    """The weights of its other member begin with a file, so that it has no row itself."""
    changes = {
        "run": {"methods": ["equal", "mean"], "seeds": [0]},
        "models": {"begun": {**tiny.MODEL, "pretrained": "runs/first"}},
        "methods": {"later": {"tasks": ["height"], "model": "begun"}, **MEAN},
    }
    rows = find_rows(build(changes))
    assert (rows.taken, rows.kept) == ({}, [RUN])


def test_status_waits_for_no_member_of_a_taken_ensemble(build: Build) -> None:
    changes = {
        "run": {"methods": ["mean"], "seeds": [0]},
        "methods": {"later": {"tasks": ["height"], "model": "net"}, **MEAN},
    }
    project, run = build(changes), RunKey("city", "mean", 0)
    assert taken_runs([CONFIG]) == set()
    write_row(project, run)
    assert find_rows(project).taken == {run: row_path(ROWS, run)}
    assert taken_runs([CONFIG]) == {RUN, RunKey("city", "later", 0)}
