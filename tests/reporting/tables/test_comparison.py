"""The comparison of weightings, and its table."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from mtlaerial.config import TrainingSpec
from mtlaerial.reporting.tables import build_documents, collect, write_tables
from mtlaerial.reporting.tables.comparison import compare
from mtlaerial.reporting.tables.render import latex, markdown
from mtlaerial.runs.cost import Cost, load_cost, save_cost
from mtlaerial.scoring.gain import delta_m
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.tile_scores import TileScores
from support.sample_scores import run, tile

SEEDS = range(5)
NOISE = {"seeds": 0.02, "tiles": 0.02}
"""Deviations of the quality of runs, and of that of tiles within a run."""


def scored(quality: float) -> TileScores:
    """Make a tile of 20,000 pixels in two classes and of 10,000 heights; higher quality is better in both tasks."""
    hits = round(7000 * (1 + quality))
    absolute = 20_000.0 * (1 - quality)
    return TileScores(
        confusion=((hits, 10_000 - hits, 0), (2000, 8000, 0)),
        height={"all": {"overall": (10_000.0, 0.0, absolute, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)}},
    )


def trained(
    method: str,
    gain: float,
    random: np.random.Generator,
    seeds: Sequence[int] = SEEDS,
    tiles: int = 8,
    **changes: object,
) -> list[Scores]:
    """Make the runs of a method that is better by a gain, with noise."""
    runs = []
    for seed in seeds:
        luck = gain + random.normal(0, NOISE["seeds"])
        runs.append(
            run(method, seed, [scored(luck + random.normal(0, NOISE["tiles"])) for _ in range(tiles)], **changes)
        )
    return runs


def experiment(
    gains: dict[str, float], seeds: Sequence[int] = SEEDS, generator: int = 0, tiles: int = 8
) -> list[Scores]:
    random = np.random.default_rng(generator)
    weightings = {"fixed_2": "fixed", "equal": "equal", "again": "equal"}
    return [
        entry
        for method, gain in gains.items()
        for entry in trained(method, gain, random, seeds, tiles, weighting=weightings.get(method, "gradnorm"))
    ]


def document(runs: Sequence[Scores], **more: object):
    return next(entry for entry in build_documents(runs, **more) if entry.stem == "town_weightings")


def notes(panel) -> str:
    return " ".join(note.text for note in panel.notes)


def row(panel, method: str) -> dict[str, str]:
    cells = next(cells for cells in panel.rows if cells[0].text == method)
    return dict(zip(panel.header, [cell.text for cell in cells], strict=True))


@pytest.mark.parametrize("others", [1, pytest.param(4, marks=pytest.mark.full("more methods"))])
@pytest.mark.parametrize("noise", [{"seeds": 0.02, "tiles": 0.002}, {"seeds": 0.005, "tiles": 0.05}])
def test_methods_that_are_alike_are_seldom_told_apart(
    noise: dict[str, float], others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With noise between seeds or between tiles, at most 5 % of tables of alike methods tell a difference.

    At most 5 of 40 tables in 97 of 100 repetitions of this test, by the binomial distribution.
    """
    for key, value in noise.items():
        monkeypatch.setitem(NOISE, key, value)
    alike = dict.fromkeys(("equal", *(f"other{number}" for number in range(others))), 0.0)
    wrong = 0
    for number in range(40):
        comparisons = compare(experiment(alike, generator=number, tiles=4), "equal")
        wrong += any(entry.verdict in ("better", "worse") for entry in comparisons.values())
    assert wrong <= 5


def test_a_gain_is_told_and_a_single_seed_has_no_verdict() -> None:
    for number in range(10):
        runs = experiment({"equal": 0.0, "other": 0.12, "bad": -0.2}, generator=number)
        comparisons = compare(runs, "equal")
        assert comparisons["other"].sentence == "better than equal"
        assert comparisons["bad"].sentence == "worse than equal"
        single = compare([entry for entry in runs if entry.seed == 0], "equal")["other"]
        assert single.sentence == "one seed: no verdict"
        assert single.difference.effect > 0


def test_methods_whose_difference_is_small_are_equivalent_within_the_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NOISE, "seeds", 0.003)
    monkeypatch.setitem(NOISE, "tiles", 0.003)
    runs = experiment({"equal": 0.0, "same": 0.0, "little": 0.015})
    comparisons = compare(runs, "equal", margin=0.05)
    assert comparisons["same"].sentence == "equivalent to equal within ±5 %"
    assert comparisons["little"].sentence == "better than equal, by less than 5 %"
    strict = compare(runs, "equal", margin=0.0001)
    assert strict["same"].sentence == "inconclusive"
    assert strict["little"].sentence == "better than equal"


def test_learning_both_tasks_is_compared_with_each_alone() -> None:
    """The gain in mIoU is that over one method, the gain in MAE that over the other."""
    both = experiment({"joint": 0.05})
    quality = {"only-classes": 0.0, "only-height": 0.02}
    single = [
        entry.model_copy(update={"tasks": (task,)})
        for task, (method, gain) in zip(("semantics", "height"), quality.items(), strict=True)
        for entry in experiment({method: gain}, generator=1)
    ]
    comparison = compare([*both, *single], {"semantics": "only-classes", "height": "only-height"})["joint"]
    long = collect([*both, *single])
    long = long[(long["mask"] == "all") & (long["group"] == "overall") & (long["pooling"] == "pooled")]
    means = long.groupby(["method", "score"])["value"].mean()
    reference = {"mIoU": means["only-classes", "mIoU"], "MAE": means["only-height", "MAE"]}
    assert comparison.difference.effect == pytest.approx(delta_m(means["joint"], reference, ["mIoU", "MAE"]))
    assert comparison.baseline == "only-classes + only-height"
    panel = document([*both, *single]).panels[-1]
    assert panel.subject.endswith("compared with learning each alone (only-classes and only-height)")
    assert [cells[0].text for cells in panel.rows] == ["joint"]


def test_effect_is_delta_m_of_mean_scores() -> None:
    runs = experiment({"equal": 0.0, "other": 0.1})
    long = collect(runs)
    long = long[(long["mask"] == "all") & (long["group"] == "overall") & (long["pooling"] == "pooled")]
    means = long.groupby(["method", "score"])["value"].mean()
    expected = delta_m(means["other"], means["equal"], ["mIoU", "MAE"])
    assert compare(runs, "equal")["other"].difference.effect == pytest.approx(expected)


def test_order_of_seeds_and_tiles_does_not_matter() -> None:
    runs = experiment({"equal": 0.0, "other": 0.02})
    turned = [entry.model_copy(update={"tiles": dict(reversed(entry.tiles.items()))}) for entry in reversed(runs)]
    assert compare(turned, "equal") == compare(runs, "equal")


def test_only_common_seeds_count() -> None:
    runs = experiment({"equal": 0.0, "other": 0.02})
    lucky = experiment({"other": 0.5}, seeds=range(5, 9))
    assert compare([*runs, *lucky], "equal") == compare(runs, "equal")


def test_another_method_widens_the_simultaneous_interval_alone() -> None:
    both = compare(experiment({"equal": 0.0, "other": 0.05, "third": 0.0}), "equal")["other"]
    alone = compare(experiment({"equal": 0.0, "other": 0.05}), "equal")["other"]
    assert both.difference == alone.difference
    assert alone.interval == alone.difference.interval(0.95)
    assert both.interval == both.difference.interval(0.975)
    assert both.adjusted == pytest.approx(2 * alone.adjusted)
    assert alone.adjusted == alone.difference.p


def test_tiles_without_truth_of_a_task_give_no_degrees_of_freedom() -> None:
    def partial(entry: Scores) -> Scores:
        tiles = dict(entry.tiles)
        for name in list(tiles)[2:]:
            tiles[name] = tiles[name].model_copy(update={"height": {}})
        return entry.model_copy(update={"tiles": tiles})

    comparison = compare([partial(entry) for entry in experiment({"equal": 0.0, "other": 0.1})], "equal")["other"]
    assert comparison.difference.tiles == 2
    low, high = comparison.interval
    assert high - low > 2 * 12.7 * comparison.difference.tile_error


@pytest.mark.parametrize(
    ("runs", "verdict"),
    [
        (experiment({"equal": 0.0, "other": 0.5}, seeds=[3]), "one seed: no verdict"),
        (experiment({"equal": 0.0}) + experiment({"other": 0.5}, seeds=[7, 8]), "no seed in common: no verdict"),
        ([run(m, s, [scored(0)]) for m in ("equal", "other") for s in SEEDS], "one test tile: no verdict"),
        ([run(m, s, [tile([[5, 1, 0], [0, 4, 0]])] * 3) for m in ("equal", "other") for s in SEEDS],
         "not scored for both tasks: no verdict"),
    ],
)  # fmt: skip
def test_no_statement_without_seeds_tiles_or_truth(runs: list[Scores], verdict: str) -> None:
    both = [entry.model_copy(update={"tasks": ("semantics", "height")}) for entry in runs]
    assert compare(both, "equal")["other"].sentence == verdict
    assert verdict in [cells[-1].text for cells in document(both).panels[0].rows]


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
