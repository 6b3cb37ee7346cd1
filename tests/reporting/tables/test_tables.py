import math

import numpy as np
import pandas as pd
import pytest

from mtlaerial.errors import ConfigError, DataError
from mtlaerial.reporting.tables import build_documents, collect, mean_over_seeds, write_tables
from mtlaerial.reporting.tables.render import escape_latex, latex, markdown
from support.sample_scores import experiment, run, tile


def value(table, column="value", mask="all", group="overall", pooling="pooled", **keys):
    chosen = table[(table["mask"] == mask) & (table["group"] == group) & (table["pooling"] == pooling)]
    for key, expected in keys.items():
        chosen = chosen[chosen[key] == expected]
    assert len(chosen) == 1, chosen
    return chosen[column].item()


def cells(panel, name):
    """Return the cells of a method, or of a score, by the other: a table may lie on its side."""
    if name in panel.header:
        return {row[0].text: row[panel.header.index(name)] for row in panel.rows}
    return dict(zip(panel.header, next(cells for cells in panel.rows if cells[0].text == name), strict=True))


def texts(panel):
    return [note.text for note in panel.notes]


def test_scores_are_pooled_over_tiles_not_averaged():
    small = tile([[0, 2, 0], [0, 0, 0]], [10.0], [13.0])
    large = tile([[90, 0, 0], [0, 8, 0]], [10.0] * 9, [10.0] * 9)
    long = collect([run("joint", 0, [small, large])])
    assert value(long, method="joint", score="OA") == pytest.approx(98 / 100)  # the mean of tiles would be 0.5
    assert value(long, method="joint", score="MAE") == pytest.approx(3 / 10)
    assert value(long, method="joint", score="RMSE") == pytest.approx(math.sqrt(9 / 10))
    assert value(long, method="joint", score="cells", group="from 2 m") == 10


def test_methods_without_ground_truth_are_named_below_the_tables():
    sentences = [
        "Left out, as this data set has no ground truth of semantics: classes.",
        "Without semantics, of which this data set has no ground truth: joint.",
    ]
    notes = {"town": sentences}
    document = build_documents([run("joint", 0, [tile((), [0.0, 4.0], [1.0, 4.0])])], notes=notes)[0]
    assert set(sentences) <= set(texts(document.panels[0]))


def test_rows_of_different_test_tiles_are_named_below_the_tables():
    confusion = [[5, 1, 0], [0, 9, 0]]
    both = [tile(confusion, [0.0, 4.0], [1.0, 4.0]), tile(confusion, [0.0, 4.0], [1.0, 4.0])]
    documents = build_documents([run("equal", 0, both), run("uw", 0, both[:1])])
    note = "Scored on different test tiles, so not comparable: equal seed 0 on t0, t1; uw seed 0 on t0."
    for document in documents:
        for panel in document.panels:
            assert note in texts(panel)
            assert "1 to 2 test tiles, pooled" in panel.details
    same = build_documents([run("equal", 0, both), run("uw", 0, both)])[0].panels[0]
    assert not any(text.startswith("Scored on different") for text in texts(same))


def test_the_other_pooling_averages_the_tiles_that_have_a_score():
    small = tile([[0, 2, 0], [0, 0, 0]], [10.0], [13.0])
    large = tile([[90, 0, 0], [0, 8, 0]], [10.0] * 9, [10.0] * 9)
    long = collect([run("joint", 0, [small, large, tile((), [0.0], [1.0])])])
    mean = {"method": "joint", "pooling": "tile mean"}
    assert value(long, **mean, score="OA") == pytest.approx((0 + 1) / 2)
    assert value(long, **mean, score="MAE") == pytest.approx((3 + 0 + 1) / 3)
    assert value(long, **mean, score="MAE", mask="positive") == pytest.approx((3 + 0) / 2)
    # The first tile has no house in its truth, so that its F1 of houses has no value, though one is predicted.
    assert value(long, **mean, score="F1", group="class house") == pytest.approx(1)
    constant = {"method": "constant", "pooling": "tile mean"}  # house, and 1 m
    assert value(long, **constant, score="OA") == pytest.approx((0 + 8 / 98) / 2)
    assert value(long, **constant, score="MAE") == pytest.approx((9 + 9 + 1) / 3)
    assert long[(long["pooling"] == "tile mean") & long["score"].isin(["cells", "delta-m"])].empty


def test_semantics_are_scored_on_eroded_truth_too():
    runs = [
        run("joint", 0, [tile([[5, 5, 0], [0, 10, 0]], eroded=[[4, 1, 0], [0, 5, 0]]), tile([[0, 0, 0], [1, 1, 0]])])
    ]
    long = collect(runs)
    assert value(long, method="joint", score="OA") == pytest.approx(16 / 22)
    assert value(long, method="joint", score="OA", mask="eroded") == pytest.approx(9 / 10)
    assert value(long, method="constant", score="OA", mask="eroded") == pytest.approx(5 / 10)
    main = build_documents(runs)[0]
    assert cells(main.panels[0], "joint")["OA, eroded (%)"].text == "90.00"
    assert any(note.startswith("eroded:") for note in texts(main.panels[0]))
    assert "OA, eroded (%)" not in build_documents(experiment())[0].panels[0].header


def test_truth_for_some_tiles_only_is_scored_there_and_told():
    without = tile((), [4.0], [4.0])
    runs = [run("joint", 0, [tile([[5, 1, 0], [0, 4, 0]], [4.0], [6.0]), without, without])]
    panel = build_documents(runs)[0].panels[0]
    assert cells(panel, "joint")["OA (%)"].text == "90.00"
    assert cells(panel, "joint")["MAE (m)"].text == "0.667"
    assert "Known and scored, of 3 test tiles: classes in 1." in texts(panel)
    assert not any("–" in note for note in texts(panel))


def test_without_any_class_in_the_test_tiles_there_are_no_columns_of_semantics():
    runs = [run("joint", 0, [tile((), [4.0], [6.0])], tasks=("semantics", "height"))]
    document = build_documents(runs)[0]
    (panel,) = document.panels
    assert panel.subject == "height"
    assert not {"OA (%)", "mIoU (%)", "κ (%)"} & set(cells(panel, "joint"))
    assert "–" not in [cell.text for row in panel.rows for cell in row]
    assert not any("AA, mIoU" in note or note.startswith("–") for note in texts(panel))
    assert "No scores of semantics: the test tiles have no truth for it." in texts(panel)
    assert "OA (%)" not in document.wide.columns
    assert cells(panel, "joint")["MAE (m)"].text == "2.000"


def test_both_masks_and_groups():
    long = collect([run("height", 0, [tile((), [0.0, 4.0], [1.0, 6.0])])])
    assert value(long, method="height", score="MAE") == 1.5
    assert value(long, method="height", score="MAE", mask="positive") == 2.0
    assert value(long, method="height", score="REL", mask="positive") == 0.5
    assert value(long, method="height", score="MAE", group="below 2 m") == 1.0
    assert long[(long["group"] == "class house") & (long["score"] != "cells")].empty
    assert long[(long["mask"] == "all") & (long["score"] == "delta1")].empty


def test_constant_row_is_majority_of_training_and_median():
    long = collect(experiment())
    constant = {"method": "constant"}
    assert value(long, **constant, score="OA") == pytest.approx(12 / 20)  # house: 90 of 100 training pixels
    assert value(long, **constant, score="F1", group="class house") == pytest.approx(24 / 32)
    assert value(long, **constant, score="MAE") == pytest.approx((1 + 3 + 7) / 3)
    assert long[long["method"] == "constant"]["seed"].isna().all()
    assert value(mean_over_seeds(long), "n", **constant, score="OA") == 1


def test_runs_whose_training_tiles_are_not_known_have_no_constant_row():
    tiles = [tile([[6, 2, 0], [1, 11, 0]])]
    imported = run("original", 0, tiles, training_pixels=(0, 0))
    assert set(collect([imported])["method"]) == {"original"}
    long = collect([imported, run("joint", 0, tiles)])
    assert value(long, method="constant", score="OA") == pytest.approx(12 / 20)


def test_deviation_over_seeds_is_the_samples():
    summary = mean_over_seeds(collect(experiment()))
    assert value(summary, "mean", method="only-height", score="MAE") == pytest.approx(1.0)
    per_seed = [(0 + 1 + 2) / 3, (0 + 1 + 2) / 3]
    assert value(summary, "std", method="only-height", score="MAE") == pytest.approx(np.std(per_seed, ddof=1))
    overall = [17 / 20, 17 / 20]
    assert value(summary, "mean", method="only-classes", score="OA") == pytest.approx(np.mean(overall))
    joint = [1.5 / 3, 1 / 3]
    assert value(summary, "std", method="joint", score="MAE") == pytest.approx(abs(joint[0] - joint[1]) / math.sqrt(2))
    single = mean_over_seeds(collect(experiment()[:1]))
    assert math.isnan(value(single, "std", method="only-classes", score="OA"))


def test_delta_m_by_hand_and_seed_by_seed():
    long = collect(experiment())
    joint_miou = (8 / 9 + 11 / 12) / 2
    single = {1: (6 / 9 + 11 / 14) / 2, 2: (7 / 10 + 10 / 13) / 2}
    mae = {1: 0.5, 2: 1 / 3}
    for seed in (1, 2):
        expected = ((joint_miou - single[seed]) / single[seed] + (1.0 - mae[seed]) / 1.0) / 2
        assert value(long, method="joint", seed=seed, score="delta-m") == pytest.approx(expected)
    assert set(long[long["score"] == "delta-m"]["method"]) == {"joint"}


@pytest.mark.parametrize("lacking", ["only-classes", "only-height"])
def test_no_delta_m_without_every_baseline(lacking):
    long = collect([entry for entry in experiment() if entry.method != lacking])
    assert "delta-m" not in set(long["score"])


def test_scores_of_tasks_not_learned_are_dashes_never_zero():
    main = build_documents(experiment())[0]
    row = cells(main.panels[0], "only-height")
    assert row["OA (%)"].text == row["Δm (%)"].text == "–"
    assert row["MAE (m)"].text == "1.000 ± 0.000"
    assert any("Not available" in note for note in texts(main.panels[0]))
    assert main.wide.set_index("method").loc["only-height", "mIoU (%)"] != 0
    assert pd.isna(main.wide.set_index("method").loc["only-height", "mIoU (%)"])


def test_caption_says_data_seeds_mask_and_generated():
    runs = [run("joint", seed, [tile([[5, 1, 0], [0, 9, 0]], [1.0], [1.0])], generated=True) for seed in range(3)]
    panels = build_documents(runs)[0].panels
    assert "Small town (generated data)" in panels[0].caption
    assert "3 seeds" in panels[0].caption
    assert any("0 < h < 9000 m" in note for note in texts(panels[0]))


def test_uneven_seeds_are_told():
    panel = build_documents(experiment()[:-1])[0].panels[0]
    assert set(panel.header) >= {"joint (1 seed)", "only-classes (2 seeds)"}


def test_many_classes_are_laid_on_their_side():
    names = tuple(f"class number {number}" for number in range(12))
    matrix = np.hstack([np.eye(12, dtype=int), np.zeros((12, 1), dtype=int)]).tolist()
    runs = [run("joint", 0, [tile(matrix)], classes=names, training_pixels=(1,) * 12)]
    panel = build_documents(runs)[0].panels[1]
    assert panel.header == ("", "joint", "constant")
    assert len(panel.rows) == 12


def test_latex_is_escaped_and_balanced():
    assert escape_latex(r"a_b & 50% #1 {x} \y [z]") == r"a\_b \& 50\% \#1 \{x\} \textbackslash{}y {[}z]"
    names = ("roads & paths_50%", "<house>")
    text = latex(build_documents([run("m", 0, [tile([[5, 1, 0], [0, 9, 0]])], classes=names)])[0])
    assert r"roads \& paths\_50\%" in text
    assert text.count(r"\begin{table*}") == text.count(r"\end{table*}") == 2
    for line in text.splitlines():
        if line.endswith(r"\\"):
            assert line.replace(r"\&", "").count("&") in (5, 2)
    assert text.isascii()


def test_markdown_keeps_its_columns():
    names = ("road|path", "*house*")
    text = markdown(build_documents([run("m", 0, [tile([[5, 1, 0], [0, 9, 0]])], classes=names)])[0])
    assert r"F1 road\|path" in text
    rows = [line for line in text.splitlines() if line.startswith(("| m", "|  "))]
    assert {row.replace(r"\|", "").count("|") for row in rows} == {7, 4}


def test_files_are_the_same_bytes_every_time(tmp_path):
    for name in ("first", "second"):
        write_tables(experiment(), tmp_path / name)
    first = {path.name: path.read_bytes() for path in (tmp_path / "first").iterdir()}
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "second").iterdir()}
    stems = ("everything", "town", "town_by_height", "town_height_by_class", "town_weightings")
    assert set(first) == {"scores.csv", *(f"{s}.{kind}" for s in stems for kind in ("csv", "md", "tex"))}
    wide = pd.read_csv(tmp_path / "first" / "town.csv").set_index("method")
    assert list(wide.index) == ["only-classes", "only-height", "joint", "constant"]
    assert wide.loc["joint", "MAE (m)"] == pytest.approx(5 / 12, abs=5e-4)


def test_a_data_set_without_heights_still_has_its_files(tmp_path):
    write_tables([run("m", 0, [tile([[5, 1, 0], [0, 9, 0]])])], tmp_path)
    assert "Not available" in (tmp_path / "town_by_height.md").read_text()


def test_a_run_given_twice_or_named_constant_is_refused():
    runs = experiment()
    with pytest.raises(DataError, match="only-classes, seed 1"):
        collect([*runs, runs[0]])
    with pytest.raises(ConfigError, match="constant"):
        collect([run("constant", 0, [tile([[5, 1, 0], [0, 9, 0]])])])
