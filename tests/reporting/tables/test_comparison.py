"""The comparison of weightings: effects, intervals over seeds and tiles, and verdicts."""

import pytest

from mtlaerial.reporting.tables import collect
from mtlaerial.reporting.tables.comparison import compare
from mtlaerial.scoring.gain import delta_m
from mtlaerial.scoring.scores import Scores
from support.noisy_runs import NOISE, SEEDS, document, experiment, scored
from support.sample_scores import run, tile


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
