"""Conventions of the scores in tables: classes in means, heights in ratios, columns without values."""

import math

import pandas as pd
import pytest

from mtlaerial.reporting.tables import Document, build_documents, collect
from mtlaerial.reporting.tables.bold import RULE
from mtlaerial.reporting.tables.comparison import mean_scores
from mtlaerial.reporting.tables.panels import Panel
from mtlaerial.scoring.scores import Scores
from support.sample_scores import run, tile

NAMES = ("road", "house", "tree", "water")
STRAY = [[700, 60, 10, 0, 0], [70, 701, 6, 5, 0], [0] * 5, [0] * 5]
"""1,552 pixels of two classes, of which 21 are predicted as classes that do not occur."""


def stray_runs() -> list[Scores]:
    runs = [run("joint", 0, [tile(STRAY)], classes=NAMES, training_pixels=(5, 9, 3, 1))]
    return [*runs, run("other", 0, [tile([[765, 5, 0, 0, 0], [5, 777, 0, 0, 0], [0] * 5, [0] * 5])], classes=NAMES)]


def overall(runs: list[Scores], method: str, mask: str = "all") -> pd.Series:
    long = collect(runs)
    chosen = long[(long["method"] == method) & (long["mask"] == mask) & (long["pooling"] == "pooled")]
    return chosen[chosen["group"] == "overall"].set_index("score")["value"]


def texts(panel: Panel, name: str) -> dict[str, str]:
    if name in panel.header:
        return {row[0].text: row[panel.header.index(name)].text for row in panel.rows}
    (row,) = (row for row in panel.rows if row[0].text == name)
    return dict(zip(panel.header, (cell.text for cell in row), strict=True))


def notes(panel: Panel) -> str:
    return " ".join(note.text for note in panel.notes)


def every_text(document: Document) -> list[str]:
    return [cell.text for panel in document.panels for row in panel.rows for cell in row]


def test_stray_predictions_of_absent_classes_count_as_errors_of_the_true_classes_alone() -> None:
    scores = overall(stray_runs(), "joint")
    road, house = 700 / (770 + 70), 701 / (782 + 60)
    assert scores["mIoU"] == pytest.approx((road + house) / 2)
    assert scores["F1"] == pytest.approx((1400 / (770 + 770) + 1402 / (782 + 761)) / 2)
    assert scores["AA"] == pytest.approx((700 / 770 + 701 / 782) / 2)
    assert scores["OA"] == pytest.approx(1401 / 1552)


def test_the_constant_has_the_same_classes_in_its_means() -> None:
    scores = overall(stray_runs(), "constant")
    assert scores["AA"] == pytest.approx((0 + 1) / 2)
    assert scores["mIoU"] == pytest.approx((0 + 782 / 1552) / 2)
    assert scores["F1"] == pytest.approx((0 + 2 * 782 / (782 + 1552)) / 2)


def test_a_constant_of_an_absent_class_has_no_class_of_its_own() -> None:
    runs = [entry.model_copy(update={"training_pixels": (1, 2, 9, 0)}) for entry in stray_runs()]
    scores = overall(runs, "constant")
    assert (scores["AA"], scores["mIoU"], scores["F1"]) == (0, 0, 0)


def test_absent_classes_have_dashes_and_a_note_never_bold() -> None:
    main, f1 = build_documents(stray_runs())[0].panels
    for method in ("joint", "other", "constant"):
        row = texts(f1, method)
        assert (row["F1 tree (%)"], row["F1 water (%)"]) == ("–", "–")
    assert "AA, mIoU and mean F1: over the 2 classes in the truth" in notes(main)
    assert "Not in the truth, so without a score: tree, water." in notes(main)


def test_ratios_of_heights_have_a_floor_of_one_metre() -> None:
    """Ground that a LiDAR has at 2 mm, predicted at 20 cm, is 100 times too high, and no worse for that."""
    true = [0.002] * 90 + [5.0] * 10
    predicted = [0.2] * 90 + [6.0] * 10
    runs = [run("height", 0, [tile((), true, predicted)])]
    assert overall(runs, "height", "objects")["REL"] == pytest.approx(1 / 5)
    assert overall(runs, "height", "objects")["delta1"] == 1
    panel = build_documents(runs)[0].panels[0]
    assert texts(panel, "height")["REL, h > 1 (%)"] == "20.00"
    assert "REL, h > 0 (%)" not in texts(panel, "height")
    assert "1 m < h < 9000 m" in notes(panel)


def test_one_metre_itself_is_ground() -> None:
    runs = [run("height", 0, [tile((), [1.0, 1.0, 2.0], [5.0, 1.0, 2.0])])]
    assert overall(runs, "height", "objects")["REL"] == 0
    assert overall(runs, "height")["PFA"] == pytest.approx(1 / 2)


def test_tables_of_one_task_have_no_dashes() -> None:
    for entry in (tile([[5, 1, 0], [0, 9, 0]]), tile((), [4.0, 0.2], [5.0, 0.3])):
        documents = build_documents([run(name, 0, [entry]) for name in ("one", "two")])
        assert all("–" not in every_text(document) for document in documents)
        assert not documents[0].wide.drop(columns=["method", "seeds"]).filter(regex="^(?!.* std$)").isna().any().any()
    (panel,) = build_documents([run("one", 0, [tile((), [4.0], [5.0])])])[0].panels
    assert panel.subject == "height"


def test_bias_is_shown_by_height_and_above_three_metres() -> None:
    runs = [run("height", 0, [tile((), [1.0, 2.5, 4.0, 8.0], [1.5, 2.5, 3.0, 6.0])])]
    documents = build_documents(runs)
    main = texts(documents[0].panels[0], "height")
    assert (main["bias (m)"], main["bias, h > 3 (m)"]) == ("−0.625", "−1.500")
    by_height = next(panel for panel in documents[1].panels if panel.key == "town-by_height-bias")
    assert texts(by_height, "height") == {"": "height", "below 2 m": "0.500", "from 2 m": "−1.000"}
    assert not any("h > 3" in text for text in by_height.header)


def test_the_share_of_squared_error_is_beside_the_share_of_cells() -> None:
    # Squared errors: 1 below 2 m; 0, 9 and 0 from 2 m.
    runs = [run(name, 0, [tile((), [1.0, 2.5, 4.0, 8.0], [2.0, 2.5, 7.0, 8.0])]) for name in ("height", "again")]
    table = build_documents(runs)[1]
    panel = next(panel for panel in table.panels if panel.key == "town-by_height-squared-error-share")
    assert texts(panel, "height") == {"": "height", "below 2 m": "10.00", "from 2 m": "90.00"}
    assert panel.subject == "share of the squared error of height in % by true height, over all valid cells"
    assert "Shares of the valid cells: below 2 m 25.0 %, from 2 m 75.0 %." in notes(panel)
    assert RULE not in notes(panel)
    assert table.wide["squared-error share (%), from 2 m"].tolist()[:2] == [90, 90]
    long = collect(runs).query("score == 'squared-error share' and method == 'height' and mask == 'all'")
    assert dict(zip(long["group"], long["value"], strict=True))["h > 3 m"] == pytest.approx(0.9)


def test_shares_of_the_squared_error_add_up_and_have_no_mean_over_tiles() -> None:
    # The second tile has no cell below 2 m: over the tiles that have some, its mean share would be 50 %.
    runs = [run("height", 0, [tile((), [1.0, 4.0], [2.0, 5.0]), tile((), [4.0, 8.0], [5.0, 9.0])])]
    long = collect(runs).query("score == 'squared-error share' and method == 'height' and mask == 'all'")
    bins = long[~long["group"].str.startswith(("h > 3", "class"))]
    assert set(long["pooling"]) == {"pooled"}
    assert sorted(bins["value"]) == [0.25, 0.75]


def test_joint_score_needs_both_truths() -> None:
    confusion = [[6, 2, 0], [1, 11, 0]]
    both = tile(confusion, [4.0], [4.0], near=(3, 11), constant_near=(2, 12))
    runs = [run("classes", 0, [tile(confusion), tile(confusion)]), run("joint", 0, [both, tile(confusion)])]
    assert overall(runs, "joint")["mIoU-3"] == pytest.approx((3 / (3 + 3) + 11 / (11 + 3)) / 2)
    assert "mIoU-3" not in overall(runs, "classes")
    assert overall(runs, "constant")["mIoU-3"] == pytest.approx((0 + 12 / (12 + 8)) / 2)
    assert "IEEE DFC2019" in notes(build_documents(runs)[0].panels[0])


def test_tiles_of_different_grids_are_told() -> None:
    fine, coarse = ([[8, 0, 0], [0, 8, 0]], [[1, 1, 0], [1, 1, 0]])
    runs = [run("joint", 0, [tile(fine, label_area=0.25), tile(coarse, label_area=1.0)])]
    assert overall(runs, "joint")["OA"] == pytest.approx((0.25 * 16 + 2) / (0.25 * 16 + 4))
    assert "cells weigh by area" in notes(build_documents(runs)[0].panels[0])
    assert "cells weigh by area" not in notes(build_documents(stray_runs())[0].panels[0])


def test_the_protocol_of_the_split_stands_under_the_tables() -> None:
    runs = [run("joint", 0, [tile([[8, 1, 0], [0, 8, 0]])], protocol="fold 2 of 5, areas of 500 m")]
    assert "Split: fold 2 of 5, areas of 500 m." in notes(build_documents(runs)[0].panels[0])


def test_comparisons_weigh_tiles_by_area_as_the_tables_do() -> None:
    tiles = [tile([[8, 1, 0], [0, 8, 0]], [4.0] * 4, [5.0] * 4, label_area=0.25, height_area=0.25),
             tile([[1, 1, 0], [2, 1, 0]], [4.0], [8.0])]  # fmt: skip
    runs = [run("joint", 0, tiles)]
    compared, scores = mean_scores(runs, ["t0", "t1"]), overall(runs, "joint")
    for score in ("mIoU", "MAE"):
        assert compared[score].values[0, 0] == pytest.approx(scores[score])
    assert scores["MAE"] == pytest.approx((1 + 4) / 2)
    assert math.isfinite(scores["mIoU"])


def test_the_constant_is_scored_where_methods_have_different_tiles() -> None:
    """As where a method lacks the runs of some areas: its tiles alone have the labels of the first method."""
    both = tile([[5, 1, 0], [0, 9, 0]], [4.0, 0.0], [5.0, 0.0], near=(4, 8), constant_near=(3, 3))
    runs = [run("semantics", 0, [tile([[5, 1, 0], [0, 9, 0]])]), run("equal", 0, [both, both])]
    scores = overall(runs, "constant")
    assert scores["mIoU-3"] == pytest.approx((0 + 3 / (3 + 6)) / 2)
    assert scores["MAE"] == pytest.approx(2)
