"""The table that compares weightings: baselines, gains, costs, weights at the end, and conflict."""

import pandas as pd
import pytest

from mtlaerial.config import TrainingSpec
from mtlaerial.reporting.folds import Evaluation, pool_folds
from mtlaerial.reporting.tables import write_tables
from mtlaerial.reporting.tables.comparison import compare
from mtlaerial.reporting.tables.render import latex, markdown
from mtlaerial.runs.cost import Cost, load_cost, save_cost
from mtlaerial.scoring.scores import Scores
from support.noisy_runs import SEEDS, document, experiment, notes, row
from support.sample_scores import run, tile


def test_table_compares_with_equal_and_with_the_best_constant_weights() -> None:
    runs = experiment({"semantics": 0.0, "other": 0.1, "equal": 0.0, "fixed_2": 0.15, "again": 0.02})
    runs[:5] = [run("semantics", seed, [tile([[5, 1, 0], [0, 4, 0]])] * 8) for seed in SEEDS]
    comparison = document(runs)
    first, second = comparison.panels
    assert [cells[0].text for cells in first.rows] == ["fixed_2", "other", "again", "equal"]  # by effect
    assert row(first, "equal")["verdict"] == row(second, "fixed_2")["verdict"] == "baseline"
    assert row(first, "fixed_2") == {**row(first, "fixed_2"), "weighting": "fixed", "verdict": "better than equal"}
    assert row(second, "equal")["verdict"] == "worse than fixed_2"
    assert "fixed_2 has the highest effect on the test tiles" in notes(first)
    assert "favours constant weights" in notes(first)
    assert "on these very test tiles and seeds, which favours it" in notes(second)
    assert "very test tiles" not in notes(first)
    wide = comparison.wide.set_index(["baseline", "method"])
    assert list(wide.index) == [
        ("equal", "fixed_2"), ("equal", "other"), ("equal", "again"),
        ("fixed_2", "other"), ("fixed_2", "again"), ("fixed_2", "equal"),
    ]  # fmt: skip
    effect = wide.loc[("equal", "fixed_2"), "effect (%)"]
    assert row(first, "fixed_2")["effect (%)"] == f"+{effect:.2f}"
    for words in (
        "seeds (5)",
        "test tiles (8)",
        "±2 % (run.comparison.margin)",
        "minimal detectable effect of this design",
    ):
        assert words in notes(second)


def folds_of(gains: dict[str, dict[str, float]]) -> list[Scores]:
    """Make the pooled runs of two areas of four tiles, in which methods have different gains."""
    folds, evaluation = [], Evaluation(folds=("town.north", "town.south"), protocol="2 areas")
    for number, (area, of_methods) in enumerate(gains.items()):
        for entry in experiment(of_methods, generator=number, tiles=4):
            tiles = {f"{area}_{name}": scored for name, scored in entry.tiles.items()}
            folds.append(entry.model_copy(update={"dataset": f"town.{area}", "tiles": tiles}))
    return pool_folds(folds, {"town": evaluation})


def test_effects_of_areas_that_are_tested_in_turn_stand_beside_the_verdict() -> None:
    gains = {"north": {"equal": 0.0, "other": 0.2}, "south": {"equal": 0.0, "other": -0.1}}
    pooled = folds_of(gains)
    entry = compare(pooled, "equal")["other"]
    for number, (area, of_methods) in enumerate(gains.items()):
        alone = compare(experiment(of_methods, generator=number, tiles=4), "equal")["other"]
        assert entry.by_area[area] == pytest.approx(alone.difference.effect)
    assert entry.by_area["north"] > 0.1
    assert entry.by_area["south"] < 0
    panel = document(pooled).panels[0]
    north, south = (f"{100 * effect:+.2f}".replace("-", "−") for effect in entry.by_area.values())
    assert row(panel, "other")["effect by area (north, south)"] == f"{north}, {south}"
    assert row(panel, "equal")["effect by area (north, south)"] == "–"
    assert "there are 2 training areas in all. Verdicts hold for trainings on these" in notes(panel)


def test_a_fixed_split_has_no_effects_by_area() -> None:
    panel = document(experiment({"equal": 0.0, "other": 0.1})).panels[0]
    assert not any("area" in name for name in panel.header)
    assert "training areas" not in notes(panel)


def test_an_area_that_a_method_lacks_is_left_open() -> None:
    pooled = folds_of({"north": {"equal": 0.0, "other": 0.2, "more": 0.1}, "south": {"equal": 0.0, "more": 0.1}})
    cell = row(document(pooled).panels[0], "other")["effect by area (north, south)"]
    assert cell.endswith(", –")


def test_equal_weights_that_are_the_best_are_compared_with_once() -> None:
    (panel,) = document(experiment({"equal": 0.0, "fixed_2": -0.2, "other": 0.0})).panels
    assert "equal has the highest effect" in notes(panel)
    assert "this is also the comparison with the best constant weights" in notes(panel)
    (panel,) = document(experiment({"equal": 0.0, "other": 0.0})).panels
    assert "No other method has constant weights" in notes(panel)


def test_gain_over_single_tasks_is_shown_where_it_is_known() -> None:
    runs = experiment({"equal": 0.0, "other": 0.1})
    assert "Δm (%)" not in document(runs).panels[0].header
    only = [run("only-classes", s, [tile([[5, 1, 0], [0, 4, 0]])] * 8) for s in SEEDS]
    only += [run("only-height", s, [tile((), [4.0], [2.0])] * 8) for s in SEEDS]
    assert "±" in row(document([*only, *runs]).panels[0], "other")["Δm (%)"]


@pytest.mark.parametrize("gains", [{"fixed_2": 0.0, "other": 0.0}, {"equal": 0.0}])
def test_without_methods_to_compare_the_table_says_so(gains: dict[str, float]) -> None:
    comparison = document(experiment(gains))
    assert comparison.panels == ()
    assert comparison.wide.empty
    for text in (markdown(comparison), latex(comparison)):
        assert "weightings are compared where a method learns both tasks with equal weights" in text


def test_the_same_scores_give_the_same_table(tmp_path) -> None:
    runs = experiment({"equal": 0.0, "other": 0.02})
    for name in ("first", "second"):
        write_tables(runs, tmp_path / name)
    for kind in ("csv", "md", "tex"):
        first, second = ((tmp_path / name / f"town_weightings.{kind}").read_bytes() for name in ("first", "second"))
        assert first == second
    wide = pd.read_csv(tmp_path / "first" / "town_weightings.csv")
    assert wide["low (%)"].item() < wide["effect (%)"].item() < wide["high (%)"].item()


def test_costs_are_ratios_of_medians_on_one_device(tmp_path) -> None:
    runs = experiment({"equal": 0.0, "other": 0.02, "elsewhere": 0.0, "resumed": 0.0, "unknown": 0.0})
    seconds = {"equal": [1.0, 2.0, 9.0], "other": [3.0, 3.0, 50.0], "elsewhere": [1.0] * 3, "resumed": [0.0]}
    costs = {}
    for method, values in seconds.items():
        for seed, value in enumerate(values):
            device = "a" if (method, seed) != ("elsewhere", 2) else "b"
            cost = Cost(seconds_per_step=value, peak_memory_mb=100 * value, device=device)
            costs["town", method, seed] = cost
    save_cost(costs["town", "other", 2], tmp_path / "cost.json")
    assert load_cost(tmp_path / "cost.json") == costs["town", "other", 2]
    comparison = document(runs, costs=costs)
    panel = comparison.panels[0]
    shown = {method: row(panel, method)["time (×)"] for method in (*seconds, "unknown")}
    assert shown == {"equal": "1.00", "other": "1.50", "elsewhere": "–", "resumed": "–", "unknown": "–"}
    assert row(panel, "other")["memory (×)"] == "1.50"
    pd.testing.assert_frame_equal(comparison.wide, document(runs).wide)
    assert not any("×" in name for name in document(runs).panels[0].header)


def test_costs_of_a_training_are_its_updates_by_time_and_threads() -> None:
    """100 updates of 3 s on 2 threads are 10 core-minutes, on a GPU 5 minutes of it."""
    recipe = TrainingSpec(epochs=2, epoch_patches=100, batch=2, threads=2)
    runs = [entry.model_copy(update={"training": recipe}) for entry in experiment({"equal": 0.0, "other": 0.0})]
    for device, header, minutes in (("CPU (x86_64), 2 threads", "core-minutes", "10"), ("H200", "GPU-minutes", "5")):
        costs = {("town", "other", seed): Cost(seconds_per_step=3, peak_memory_mb=1, device=device) for seed in SEEDS}
        shown = row(document(runs, costs=costs).panels[0], "other")
        assert (shown["time per update (s)"], shown[header]) == ("3", minutes)


def test_core_minutes_are_the_median_of_trainings_that_ended_early() -> None:
    """Of 100 updates at most, seed by seed 50 of 6 s, and 100 of 6 s and of 9 s: 5, 10 and 15 minutes."""
    recipe = TrainingSpec(epochs=2, epoch_patches=100, batch=2, threads=1)
    runs = [entry.model_copy(update={"training": recipe}) for entry in experiment({"equal": 0.0, "other": 0.0})]
    runs = [entry.model_copy(update={"ended_early": 1 if entry.seed == 0 else None}) for entry in runs]
    seconds = dict(zip(SEEDS, (6, 6, 9), strict=False))
    costs = {
        ("town", "other", seed): Cost(seconds_per_step=time, peak_memory_mb=1, device="CPU")
        for seed, time in seconds.items()
    }
    assert row(document(runs, costs=costs).panels[0], "other")["core-minutes"] == "10"


def test_weights_at_the_end_are_means_over_seeds() -> None:
    runs = experiment({"equal": 0.0, "other": 0.0})
    weights = [{"semantics": 0.5, "height": 0.1 * entry.seed} if entry.method == "other" else {} for entry in runs]
    runs = [entry.model_copy(update={"final_weights": each}) for entry, each in zip(runs, weights, strict=True)]
    panel = document(runs).panels[0]
    header = "weights at the end (semantics, height)"
    assert (row(panel, "other")[header], row(panel, "equal")[header]) == ("0.5, 0.2", "–")
    assert "last tenth of the updates" in notes(panel)


@pytest.mark.parametrize(
    ("device", "shown"), [("CPU (x86_64), 2 threads", ("≈ 1", "2.7")), ("NVIDIA H200", ("1.08", "2.66"))]
)
def test_memory_of_a_process_is_shown_as_far_as_it_is_known(device: str, shown: tuple[str, str]) -> None:
    """The process of another training of the same code takes 8 % more."""
    runs = experiment({"equal": 0.0, "fixed_2": 0.0, "other": 0.0})
    megabytes = {"equal": 500.0, "fixed_2": 540.0, "other": 1330.0}
    costs = {("town", m, 0): Cost(seconds_per_step=1, peak_memory_mb=mb, device=device) for m, mb in megabytes.items()}
    panel = document(runs, costs=costs).panels[0]
    assert tuple(row(panel, method)["memory (×)"] for method in ("fixed_2", "other")) == shown
    assert "known to 10 % only" in notes(panel)


def test_conflict_at_both_levels_is_a_panel_of_all_seeds() -> None:
    pair = {"tasks": ("semantics", "height"), "measurements": 4}
    parts = (
        {"level": "features", **pair, "total": 0.8, "least": 0.1, "negative": 0},
        {"level": "parameters", **pair, "total": 0.4, "least": -0.3, "negative": 1},
    )
    runs = [Scores.model_validate({**entry.model_dump(), "cosines": parts}) for entry in experiment({"equal": 0.0})]
    (panel,) = document(runs).panels
    assert panel.key == "town-conflict"
    number = str(4 * len(SEEDS))
    assert row(panel, "equal") == {
        "": "equal", "measurements": number,
        "shared features: mean": "0.20", "shared features: least": "0.10",
        "shared features: below 0 (%)": "0.0",
        "trunk's parameters: mean": "0.10", "trunk's parameters: least": "−0.30",
        "trunk's parameters: below 0 (%)": "25.0",
    }  # fmt: skip
