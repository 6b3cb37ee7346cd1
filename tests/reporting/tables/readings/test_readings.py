import pytest

from mtlaerial.reporting.inference.differences import Difference
from mtlaerial.reporting.tables import build_documents
from mtlaerial.reporting.tables.comparison import Comparison
from mtlaerial.reporting.tables.readings.comparisons import differences_reading, verdicts_reading
from mtlaerial.scoring.uncertainty import UncertaintySums
from support.sample_scores import experiment, run, tile

TELLING = {"seed_error": 1e-4, "tile_error": 1e-4, "seeds": 3, "tiles": 9}
VAGUE = {"seed_error": 0.1, "tile_error": 0.1, "seeds": 3, "tiles": 9}


def readings(runs):
    panels = [panel for document in build_documents(runs) for panel in document.panels]
    return {panel.key.removeprefix("town-"): panel.reading for panel in panels}


def in_tiles(method, matrix, seeds=(1, 2, 3), tiles=4):
    """Return runs on several tiles that differ little between seeds and tiles, so that differences are told."""
    entries = [tile([[cell + 1000 * (cell > 0) for cell in row] for row in matrix])] * tiles
    return [run(method, seed, entries) for seed in seeds]


def test_every_table_has_a_sentence():
    sentences = readings(experiment())
    assert len(sentences) > 10
    assert all(text.endswith(".") for text in sentences.values())


def test_a_lead_on_one_tile_is_nothing_to_test_with():
    assert readings(experiment())["main"] == (
        "Best mIoU: joint (90.28 %), before only-classes (73.04 %), nothing to test with one test tile; "
        "best MAE: joint (0.417 m), before only-height (1.000 m), nothing to test with one test tile."
    )


@pytest.mark.parametrize(
    ("seeds", "tiles", "words"),
    [((1,), 4, "one seed"), ((1,), 1, "one seed and one test tile"), ((1, 2), 1, "one test tile")],
)
def test_one_seed_or_tile_is_nothing_to_test_with(seeds, tiles, words):
    runs = [
        *in_tiles("good", [[900, 10, 0], [10, 900, 0]], seeds, tiles),
        *in_tiles("bad", [[500, 400, 0], [400, 500, 0]], seeds, tiles),
    ]
    assert readings(runs)["main"].endswith(f"nothing to test with {words}.")


def test_a_lead_that_seeds_do_not_agree_on_is_not_told_from_chance():
    runs = [
        *in_tiles("good", [[900, 10, 0], [10, 900, 0]], [1], 2),
        *in_tiles("good", [[500, 500, 0], [500, 500, 0]], [2], 2),
        *in_tiles("bad", [[600, 400, 0], [400, 600, 0]], [1, 2], 2),
    ]
    assert readings(runs)["main"].endswith("not told from chance.")


def test_a_lead_that_seeds_and_tiles_agree_agree_on_has_the_confidence_of_the_bold_number():
    better = in_tiles("good", [[900, 10, 0], [10, 900, 0]])
    worse = in_tiles("bad", [[500, 400, 0], [400, 500, 0]])
    assert "before bad" in readings([*worse, *better])["main"]
    assert readings([*worse, *better])["main"].endswith("with 95 % confidence.")


def test_a_method_below_the_constant_prediction_is_said():
    text = readings(
        [run("poor", 1, [tile([[0, 90, 0], [10, 0, 0]])]), run("worse", 1, [tile([[0, 90, 0], [10, 0, 0]])])]
    )
    assert "no better than the constant prediction" in text["main"]


def test_a_lone_method_leads_nobody():
    assert "the only method that learns it" in readings([run("joint", 1, [tile([[8, 2, 0], [1, 9, 0]])])])["main"]


def test_classes_and_bins_of_heights_are_named_with_their_extremes():
    sentences = readings(experiment())
    assert sentences["f1"] == "joint, best in mIoU, finds house (95.65 %) best and road (94.12 %) worst."
    assert "errs least in below 2 m (0.000 m) and most in from 2 m (0.625 m)" in sentences["by_height-mae"]


def test_verdicts_are_listed_by_kind():
    effects = {"a": Difference(0.2, **TELLING), "b": Difference(-0.2, **TELLING), "c": Difference(0.0, **TELLING),
               "d": Difference(0.01, **VAGUE)}  # fmt: skip
    compared = {name: Comparison(name, "equal", difference, 0.01, 4) for name, difference in effects.items()}
    expected = "Against equal better: a, worse: b, equivalent within ±1 %: c, inconclusive: d."
    assert verdicts_reading(compared) == expected
    assert verdicts_reading({}) == ""


def test_without_seeds_there_is_no_verdict_and_the_reason_is_given():
    compared = {"a": Comparison("a", "equal", Difference(0.2, seeds=1, tiles=5))}
    assert verdicts_reading(compared) == "No verdict on any method against equal: one seed."


@pytest.mark.parametrize(("lower_is_better", "better", "worse"), [(False, 1, 2), (True, 2, 1)])
def test_differences_count_by_what_is_better(lower_is_better, better, worse):
    differences = [
        Difference(0.2, **TELLING),
        Difference(-0.2, **TELLING),
        Difference(-0.3, **TELLING),
        Difference(0.1, **VAGUE),
    ]
    text = differences_reading("MAE", differences, lower_is_better)
    assert text == f"In MAE, of 4 differences: {better} better and {worse} worse with 95 % confidence, each by itself."
    alone = differences_reading("MAE", differences[:1], lower_is_better)
    assert alone.startswith("In MAE, of the one difference: ")
    assert alone.endswith(" worse with 95 % confidence.")
    assert "two seeds" in differences_reading("MAE", [Difference(0.2, seeds=1, tiles=5)], True)


def test_coverage_is_compared_with_its_level():
    sums = UncertaintySums(
        intervals={"90 %": {"overall": (100.0, 100.0, 85.0, 200.0), "class road": (50.0, 50.0, 30.0, 9.0)}}
    )
    entry = tile([[8, 2, 0], [1, 9, 0]], [0.0, 4.0], [0.0, 3.0], uncertainty=sums)
    sentences = readings([run("joint", seed, [entry]) for seed in (1, 2)])
    assert "Intervals of 90 % cover 85.0 % of the cells" in sentences["uncertainty-uncertainty"]
    assert sentences["uncertainty-class"] == "Least covered is road, by joint: 60.00 % of its cells."
