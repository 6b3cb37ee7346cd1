"""Rows that are ensembles: their notes, their costs, and that they are no baseline."""

from pathlib import Path
from typing import Any

import pytest

from mtlaerial.reporting.ensembles import ensemble_sizes
from mtlaerial.reporting.run_costs import run_costs
from mtlaerial.reporting.tables import build_documents
from mtlaerial.reporting.tables.ensembles import ensemble_notes
from mtlaerial.reporting.tables.gain import baselines
from mtlaerial.runs.cost import Cost, save_cost
from mtlaerial.runs.ensemble import make_ensemble
from mtlaerial.runs.loading import load_run
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.scores_file import load_scores, save_scores
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.sample_scores import experiment, run, tile
from support.small_runs import drawn_run


def row(seed: int, *members: str, method: str = "best", **more: Any) -> Scores:
    changes = {"ensemble": members, "weighting": "ensemble", **more}
    return run(method, seed, [tile([[8, 0, 0], [1, 11, 0]], [0.0, 4.0], [0.0, 3.0])], **changes)


@pytest.mark.parametrize(
    ("rows", "note"),
    [
        (
            [row(seed, f"town/lite0/seed{seed}", f"town/d3net/seed{seed}") for seed in (1, 2)],
            "best: an ensemble, with the mean of the class scores and of the heights of lite0 and d3net, of the same "
            "seed.",
        ),
        (
            [row(1, "town/lite0/seed1", "town/lite0/seed2", "town/original")],
            "best: an ensemble, with the mean of the class scores and of the heights of lite0 (seeds 1, 2) and "
            "original (imported). One map: it has no deviation over seeds.",
        ),
        (
            [row(1, "town/lite0/seed1", "town/d3net/seed1", ensemble_heights="median")],
            "best: an ensemble, with the mean of the class scores and the median of the heights of lite0 and d3net, "
            "of the same seed.",
        ),
        ([row(1, "town/lite0/seed1")], "best: an ensemble, with the mean of the class scores and of the heights of "
         "lite0, of the same seed."),
    ],
)  # fmt: skip
def test_a_note_names_the_members(rows: list[Scores], note: str) -> None:
    assert list(ensemble_notes([*experiment(), *rows], ["joint", "best"])) == [note]
    panels = build_documents([*experiment(), *rows])[0].panels
    assert any(note in [entry.text for entry in panel.notes] for panel in panels)


def test_an_ensemble_is_no_single_task_baseline() -> None:
    members = [run("ensemble", seed, [tile((), [0.0, 4.0], [0.0, 3.0])], ensemble=("town/h/seed1",)) for seed in (1, 2)]
    runs = [*members, *experiment()]
    joint = next(entry for entry in runs if entry.method == "joint")
    assert baselines(runs, joint) == {"semantics": "only-classes", "height": "only-height"}


def test_scores_without_an_ensemble_are_stored_as_before(tmp_path: Path) -> None:
    single, several = experiment()[0], row(1, "town/lite0/seed1")
    for name, scores in (("single", single), ("several", several)):
        save_scores(scores, tmp_path / f"{name}.json")
        assert load_scores(tmp_path / f"{name}.json") == scores
    assert "ensemble" not in (tmp_path / "single.json").read_text()


@pytest.fixture
def folders(statistics: Statistics, tmp_path: Path) -> list[Path]:
    """Return the folders of an ensemble, whose members measured their trainings, and of its first member."""
    plans = [tiny.run_plan(), tiny.run_plan(("height",), seed=1)]
    runs = [drawn_run(tmp_path / f"run{number}", plan, statistics, number) for number, plan in enumerate(plans)]
    for folder, seconds, megabytes in zip(runs, (100, 200), (30, 20), strict=True):
        cost = Cost(seconds_per_step=seconds, peak_memory_mb=megabytes, device="CPU")
        save_cost(cost, folder / "cost.json")
    make_ensemble(runs, tmp_path / "best")
    return [tmp_path / "best", runs[0]]


def test_the_cost_of_an_ensemble_is_the_sum_over_its_members(folders: list[Path]) -> None:
    scores = {folders[0]: row(0, "city/equal/seed0", "city/equal/seed1"), folders[1]: run("equal", 0, [tile([[1]])])}
    files = [folders[1] / "cost.json", folders[1].with_name("run1") / "cost.json"]
    costs = run_costs(scores, files)
    assert costs == {
        ("town", "best", 0): Cost(seconds_per_step=300, peak_memory_mb=30, device="CPU"),
        ("town", "equal", 0): Cost(seconds_per_step=100, peak_memory_mb=30, device="CPU"),
    }
    assert list(run_costs(scores, files[:1])) == [("town", "equal", 0)], "an unmeasured member: no sum"


def test_the_report_has_size_and_training_time_of_an_ensemble(folders: list[Path]) -> None:
    (size,) = ensemble_sizes(folders, {})["city"]
    import torch

    networks = [load_run(folders[1].with_name(f"run{n}"), torch.device("cpu")).model for n in range(2)]
    parameters = sum(weight.numel() for network in networks for weight in network.parameters())
    steps = tiny.run_plan().training.steps
    assert (size.method, size.networks) == ("best", 2)
    assert size.parameters == f"{parameters / 1e6:.3g}"
    assert size.hours == f"{steps * 300 / 3600:.2g}"
