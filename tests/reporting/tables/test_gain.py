"""Delta-m over single tasks: which ones are a run's baselines, and what is said of them."""

import pytest

from mtlaerial.reporting.tables import build_documents
from mtlaerial.reporting.tables.gain import baselines, gain_over_baselines, gain_text
from mtlaerial.scoring.scores import Scores
from support import tiny
from support.sample_scores import run, tile

TRUE = [0.0, 1.0, 10.0, 50.0]


def scored(method: str, hits: int, error: float, labelled: dict[str, float] | None = None, **changes: object) -> Scores:
    """Make a run with a number of right pixels, of 20 in each class (0: no classes), and an error of all heights."""
    confusion = [[hits, 20 - hits, 0], [20 - hits, hits, 0]] if hits else ()
    heights = TRUE if error else ()
    recipe = tiny.training_spec(labelled=labelled or {})
    tiles = [tile(confusion, heights, [height + error for height in heights])]
    return run(method, 0, tiles, training=recipe, **changes)


def iou(hits: int) -> float:
    return hits / (40 - hits)


RUNS = [
    scored("classes_5", 10, 0, {"semantics": 5}),
    scored("classes", 18, 0),
    scored("height", 0, 2),
    scored("joint", 17, 1),
    scored("joint_5", 12, 1, {"semantics": 5}),
    scored("joint_25", 15, 1, {"semantics": 25}),
]


@pytest.mark.parametrize(("method", "hits", "single"), [("joint", 17, 18), ("joint_5", 12, 10)])
def test_baselines_learned_from_the_same_share_of_the_truth(method: str, hits: int, single: int) -> None:
    (joint,) = (entry for entry in RUNS if entry.method == method)
    gains = (iou(hits) / iou(single) - 1, 0.5)  # the error of height is halved
    assert gain_over_baselines(joint, RUNS) == pytest.approx(sum(gains) / 2)


def test_without_a_baseline_of_that_share_there_is_no_gain() -> None:
    assert baselines(RUNS, RUNS[-1]) == {"height": "height"}
    assert gain_over_baselines(RUNS[-1], RUNS) is None


def test_baselines_were_trained_on_the_same_data_set() -> None:
    there = [
        entry.model_copy(update={"method": f"{entry.method} (city)", "trained_on": "city"})
        for entry in (scored("classes", 14, 0), scored("height", 0, 4), scored("joint", 15, 1))
    ]
    runs = [*there[:2], *RUNS, there[2]]
    assert baselines(runs, there[2]) == {"semantics": "classes (city)", "height": "height (city)"}
    assert baselines(runs, RUNS[3]) == {"semantics": "classes", "height": "height"}


def test_the_definition_names_all_baselines() -> None:
    assert "over classes and height, seed by seed" in gain_text(RUNS[1:4])
    text = "over the methods of each task alone that learned from the same truth, of classes and height and classes_5,"
    assert text in gain_text(RUNS)


def test_comparisons_name_the_methods_that_learned_from_other_truth_or_data() -> None:
    elsewhere = scored("joint (city)", 11, 3, trained_on="city")
    document = build_documents([*RUNS, elsewhere])[3]
    assert document.stem == "town_weightings"
    assert document.panels
    others = "joint_5, joint_25, joint (city)"
    note = f"Not compared, as they learn other tasks, or from other data or another share of the truth: {others}."
    for panel in document.panels:
        assert [cells[0].text for cells in panel.rows] == ["joint"]
        assert note in [entry.text for entry in panel.notes]
