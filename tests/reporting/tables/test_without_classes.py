"""Scores without some classes: a second set, over the same pixels in all rows, with the classes named."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score, jaccard_score, recall_score

from mtlaerial.config import D3NetSpec, TrainingSpec
from mtlaerial.config.published import PublishedSpec
from mtlaerial.reporting.tables import Document, build_documents, collect
from mtlaerial.reporting.tables.marks import marks
from mtlaerial.scoring.metrics import confusion_matrix
from mtlaerial.scoring.scores import Scores
from support.sample_scores import run, tile

NAMES = ("road", "house", "clutter")
WITHOUT = {"classes": NAMES, "training_pixels": (10, 90, 4), "without_classes": ("clutter",)}
HEIGHTS = ([0.0, 4.0], [0.5, 4.5])


def pixels(seed: int = 0, number: int = 400, quality: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    """Return true and predicted classes."""
    random = np.random.default_rng(seed)
    true = random.integers(0, 3, number).astype(np.uint8)
    wrong = random.integers(0, 3, number).astype(np.uint8)
    return true, np.where(random.random(number) < quality, true, wrong)


def matrix(seed: int = 0, quality: float = 0.7) -> list[list[int]]:
    return confusion_matrix(*pixels(seed, quality=quality), 3).tolist()


def value(scores: pd.DataFrame, mask: str, score: str, group: str = "overall", pooling: str = "pooled") -> float:
    rows = scores[(scores["mask"] == mask) & (scores["score"] == score) & (scores["method"] != "constant")]
    rows = rows[(rows["group"] == group) & (rows["pooling"] == pooling)]
    return float(rows["value"].iloc[0])


def notes(documents: Sequence[Document]) -> str:
    return " ".join(note.text for note in documents[0].panels[0].notes)


@pytest.mark.parametrize("mask", ["without clutter", "eroded, without clutter"])
def test_pixels_of_the_class_are_ignored_and_its_predictions_elsewhere_are_errors(mask: str) -> None:
    other = {"confusion": matrix(7)} if "eroded" in mask else {"eroded": matrix(7)}
    name = "eroded" if "eroded" in mask else "confusion"
    scores = collect([run("net", 0, [tile(**other, **{name: matrix()})], tasks=("semantics",), **WITHOUT)])
    true, predicted = pixels()
    left = true != 2
    chosen = {"y_true": true[left], "y_pred": predicted[left]}
    means = {**chosen, "labels": [0, 1], "average": "macro"}
    assert value(scores, mask, "OA") == pytest.approx(accuracy_score(**chosen))
    assert value(scores, mask, "AA") == pytest.approx(recall_score(**means))
    assert value(scores, mask, "kappa") == pytest.approx(cohen_kappa_score(chosen["y_true"], chosen["y_pred"]))
    assert value(scores, mask, "mIoU") == pytest.approx(jaccard_score(**means))
    assert value(scores, mask, "F1") == pytest.approx(f1_score(**means))
    of_road = f1_score(**{**means, "labels": [0]})
    assert value(scores, mask, "F1", "class road") == pytest.approx(of_road)
    assert "class clutter" not in set(scores[scores["mask"] == mask]["group"])


def test_scores_over_all_classes_stay_as_they_are() -> None:
    tiles = [tile(matrix(), *HEIGHTS, eroded=matrix(1), near=(90, 90, 90))]
    both = collect([run("net", 0, tiles, **WITHOUT)])
    alone = collect([run("net", 0, tiles, **{**WITHOUT, "without_classes": ()})])
    rest = both[~both["mask"].str.contains("without")].reset_index(drop=True)
    pd.testing.assert_frame_equal(rest, alone)


def test_the_joint_score_leaves_the_class_out_too() -> None:
    confusion = [[8, 1, 1, 0], [2, 6, 0, 0], [3, 0, 4, 0]]
    scores = collect([run("net", 0, [tile(confusion, *HEIGHTS, near=(6, 5, 4))], **WITHOUT)])
    # Hits of both tasks / (those, and the errors of the class).
    road, house = 6 / (6 + 2 + 2), 5 / (5 + 2 + 1)
    assert value(scores, "without clutter", "mIoU-3") == pytest.approx((road + house) / 2)
    assert value(scores, "all", "mIoU-3") == pytest.approx((6 / (6 + 2 + 5) + house + 4 / (4 + 3 + 1)) / 3)


def test_all_rows_are_scored_on_the_same_pixels() -> None:
    median = {**WITHOUT, "without_classes": ()}
    runs = [run("uniform", 0, [tile(matrix())], **WITHOUT), run("median", 0, [tile(matrix(1))], **median)]
    scores = collect(runs)
    assert set(scores[scores["mask"] == "without clutter"]["method"]) == {"uniform", "median", "constant"}
    assert not build_documents(runs)[0].wide["OA, without clutter (%)"].isna().any()


@pytest.mark.parametrize("methods", [1, 9])
def test_tables_name_the_classes_in_the_means(methods: int) -> None:
    runs = [run(f"net{i}", 0, [tile(matrix(i), eroded=matrix(i + 20))], **WITHOUT) for i in range(methods)]
    documents = build_documents(runs)
    text = " ".join(note.text for panel in documents[0].panels for note in panel.notes)
    assert "over the 3 classes in the truth of the test tiles (road, house, clutter)" in text
    assert (
        "without clutter: pixels of clutter in the truth are ignored, and means are over the other 2 classes "
        "(road, house); a pixel of these that is predicted as clutter is an error." in text
    )
    headers = {name for panel in documents[0].panels for name in (*panel.header, *(row[0].text for row in panel.rows))}
    for header in ("OA, without clutter (%)", "mIoU, eroded, without clutter (%)", "F1 road, without clutter (%)"):
        assert header in headers
        assert header in documents[0].wide
    assert any(row[0].text == "OA, without clutter (%)" for row in documents[-1].panels[0].rows)
    assert "without clutter" in set(documents[-1].wide["mask"])


def test_sets_of_as_many_classes_have_columns_of_their_own() -> None:
    names = ("road", "house", "water", "tree", "car")
    confusion = np.hstack([np.eye(5, dtype=int) * 9 + 1, np.zeros((5, 1), int)]).tolist()
    of_five = {"classes": names, "training_pixels": (1,) * 5, "without_classes": names[2:]}
    entry = {"name": "Net", "source": "Them", "url": "https://example.org", "scores": {"OA": 0.9}}
    published = PublishedSpec(**entry, without_classes=("car", "house", "tree"))
    documents = build_documents([run("net", 0, [tile(confusion)], **of_five)], {"town": [published]})
    columns = map(str, documents[0].wide)
    headers = [name for name in columns if name.startswith("OA, without") and not name.endswith("std")]
    assert headers == ["OA, without car, tree, water (%)", "OA, without car, house, tree (%)"]
    (ours,) = documents[0].wide.loc[documents[0].wide["method"] == "net", headers[0]]
    assert ours == pytest.approx(100 * 20 / 28, abs=0.01)


def test_a_better_method_without_the_class_is_bold(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [
        run(method, seed, [tile(matrix(seed * 10 + t, quality)) for t in range(5)], **WITHOUT)
        for method, quality in (("good", 0.95), ("bad", 0.5))
        for seed in range(5)
    ]
    (panel, *_) = build_documents(runs)[0].panels
    (row,) = (row for row in panel.rows if row[0].text == "mIoU, without clutter (%)")
    assert [cell.bold for cell in row[1:]] == [True, False, False]


def trained(method: str, weights: object) -> Scores:
    recipe = TrainingSpec.parse({"class_weights": weights}, "training")
    return run(method, 0, [tile(matrix())], training=recipe, network=D3NetSpec(), **WITHOUT)


def test_rows_of_other_class_weights_are_marked() -> None:
    uniform = {"road": 1, "house": 1, "clutter": 0}
    runs = [
        trained("one", uniform),
        trained("two", dict(reversed(uniform.items()))),
        trained("rule", "median_frequency"),
    ]
    runs.append(trained("cars", {**uniform, "road": 2.5}))
    assert {method: mark.difference for method, mark in marks(runs).items()} == {
        "rule": "training.class_weights median_frequency instead of clutter 0, house 1, road 1",
        "cars": "training.class_weights clutter 0, house 1, road 2.5 instead of clutter 0, house 1, road 1",
    }


def test_tables_say_which_class_no_method_trains() -> None:
    uniform = {"road": 1, "house": 1, "clutter": 0}
    sentence = "Never trained, as the class weight is 0: clutter."
    assert sentence in notes(build_documents([trained("one", uniform)]))
    assert sentence not in notes(build_documents([trained("one", uniform), trained("rule", "median_frequency")]))


def test_published_numbers_stand_in_our_column_in_whatever_order_they_name_the_classes() -> None:
    common = {"name": "Net", "source": "A journal", "url": "https://example.org", "scores": {"OA": 0.9}}
    named = [NAMES[1], NAMES[0]]
    published = [
        PublishedSpec.parse({**common, "without_classes": order}, "published") for order in (named, named[::-1])
    ]
    scored = {**WITHOUT, "without_classes": tuple(named)}
    panel = build_documents([run("net", 0, [tile(matrix())], **scored)], {"town": published})[0].panels[0]
    labels = [*panel.header, *(row[0].text for row in panel.rows)]
    assert len([label for label in labels if label.startswith("OA, without")]) == 1


def test_published_numbers_without_the_class_stand_in_its_column() -> None:
    common = {"name": "Net", "source": "A journal", "url": "https://example.org"}
    published = PublishedSpec.parse({**common, "scores": {"OA": 0.9}, "without_classes": ["clutter"]}, "published")
    for scored in (WITHOUT, {**WITHOUT, "without_classes": ()}):  # also where no run is scored so
        documents = build_documents([run("net", 0, [tile(matrix())], **scored)], {"town": [published]})
        panel = documents[0].panels[0]
        by_score = dict(zip(panel.header[1:], panel.rows[-1][1:], strict=True))
        if panel.rows[0][0].text == "OA (%)":
            by_score = {row[0].text: row[-1] for row in panel.rows}
        assert "Net [1]" in (panel.header[-1], panel.rows[-1][0].text)
        cited = {header: cell.text for header, cell in by_score.items() if cell.text}
        assert cited == {"OA, without clutter (%)": "90"}
        assert "without clutter; protocol not stated: split, pooling, class boundaries" in notes(documents).casefold()
