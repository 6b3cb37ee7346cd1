"""Uncertainty in the tables: scores by predictor, intervals by level and by group, bars, and what is guaranteed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mtlaerial.reporting.run_costs import prediction_costs
from mtlaerial.reporting.tables import Document, Panel, build_documents, write_tables
from mtlaerial.runs.cost import PredictionCost, save_prediction_cost
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.uncertainty import UncertaintySums
from support.sample_scores import run, tile

SENTENCE = "Calibrated on 5 validation tiles, in cells of at least 60 m."
Covered = Mapping[str, tuple[int, int]]
"""Covered cells and all cells, by group."""
USUAL: Covered = {"overall": (900, 1000), "predicted below 2 m": (550, 600), "predicted from 2 m": (350, 400)}
PREDICTION = {"views": ["mirror"], "spread": ["samples"]}


def intervals(covered: Covered, width: float = 4.0) -> dict[str, tuple[float, ...]]:
    return {group: (cells, cells, hits, width * cells) for group, (hits, cells) in covered.items()}


def scored(method: str, covered: Covered = USUAL, seed: int = 0, level: str = "90 %", **changes: object) -> Scores:
    reliability = [(0.0, 0.0, 0.0)] * 14 + [(100.0, 80.0, 90.0)]
    sums = UncertaintySums(reliability=reliability, intervals={"50 %": intervals(covered), level: intervals(covered)})
    tiles = [tile([[8, 0, 0], [1, 11, 0]], [0.0, 4.0], [0.0, 3.0], uncertainty=sums)] * 2
    return run(method, seed, tiles, **{"prediction": {}, "calibration": [SENTENCE], **changes})


def document(*runs: Scores, **options: Any) -> Document:
    return next(part for part in build_documents(runs, **options) if part.stem == "town_uncertainty")


def panel(document: Document, key: str) -> Panel:
    return next(panel for panel in document.panels if panel.key == f"town-uncertainty-{key}")


def cell(panel: Panel, method: str, header: str) -> str:
    row = next(row for row in panel.rows if row[0].text == method)
    return row[panel.header.index(header)].text


def notes(panel: Panel) -> list[str]:
    return [note.text for note in panel.notes]


def test_each_row_has_its_predictor_and_the_scores_of_all_its_seeds() -> None:
    table = document(scored("one"), scored("one", seed=1), scored("copies", prediction=PREDICTION))
    main = panel(table, "uncertainty")
    assert main.header[:4] == ("", "predictor", "OA (%)", "RMSE (m)")
    assert [cell(main, f"{name} ({seeds})", "predictor") for name, seeds in (("one", "2 seeds"), ("copies", "1 seed"))]
    assert cell(main, "copies (1 seed)", "predictor") == "tta"
    assert cell(main, "one (2 seeds)", "ECE (%)") == "10.00 ± 0.00"
    assert cell(main, "one (2 seeds)", "coverage 90 % (%)") == "90.00 ± 0.00"
    assert cell(main, "one (2 seeds)", "width 90 % (m)") == "4.000 ± 0.000"
    assert "constant" not in [row[0].text for row in main.rows]


def test_levels_have_a_panel_and_the_highest_stands_in_for_90_percent() -> None:
    table = document(scored("one", level="80 %"))
    assert panel(table, "levels").header[2:] == (
        *("coverage 50 % (%)", "width 50 % (m)"),
        *("coverage 80 % (%)", "width 80 % (m)"),
    )
    assert "coverage of 80 % intervals in % by predicted height" in panel(table, "predicted").caption


def test_low_coverage_is_marked_where_a_bin_has_enough_cells_and_by_predicted_height_alone() -> None:
    rare = {"overall": (9000, 10000), "predicted below 2 m": (8950, 9910), "predicted from 2 m": (50, 90)}
    low = {**USUAL, "predicted from 2 m": (319, 400), "below 2 m": (10, 500), "from 2 m": (890, 500)}
    at_the_bar = {**USUAL, "predicted from 2 m": (320, 400)}
    runs = [scored("rare", rare), scored("low", low), scored("bar", at_the_bar)]
    table = document(*runs)
    by_predicted = panel(table, "predicted")
    assert [cell(by_predicted, name, "from 2 m") for name in ("rare", "low", "bar")] == ["55.56", "79.75 !", "80.00"]
    assert "! below 80 %, in a bin with at least 1 % of the cells." in notes(by_predicted)
    by_true = panel(table, "true")
    assert cell(by_true, "low", "below 2 m") == "2.00"
    assert not [note for note in notes(by_true) if note.startswith("!")]


def test_notes_say_what_is_guaranteed_and_how_each_method_was_calibrated() -> None:
    other = scored("other", calibration=[SENTENCE, "No 95 % intervals: 12 calibration cells."])
    uncalibrated = scored("bare", calibration=[])
    table = document(scored("one"), other, uncalibrated)
    texts = notes(panel(table, "uncertainty"))
    assert not [text for text in notes(panel(table, "predicted")) if SENTENCE in text], "said once, in the first panel"
    assert any("Guaranteed: of a new calibration cell" in text and "Not guaranteed: " in text for text in texts)
    assert f"one, other: {SENTENCE}" in texts
    assert "other: No 95 % intervals: 12 calibration cells." in texts
    assert "bare: Without a calibration." in texts


def test_files_have_all_groups_and_nothing_is_bold(tmp_path: Path) -> None:
    runs = [scored(name, seed=seed) for name in ("one", "two") for seed in range(3)]
    write_tables(runs, tmp_path)
    wide = pd.read_csv(tmp_path / "town_uncertainty.csv").set_index("method")
    assert wide.loc["one", "coverage 90 %, predicted from 2 m (%)"] == 87.5
    assert wide.loc["one", "width 50 % (m)"] == 4
    assert "**" not in (tmp_path / "town_uncertainty.md").read_text()
    everything = pd.read_csv(tmp_path / "everything.csv")
    width = everything[(everything["score"] == "width 90 %") & (everything["group"] == "overall")]
    assert set(width["unit"]) == {"m"}
    assert "coverage 90 % (%)" in (tmp_path / "everything.md").read_text()


def test_runs_without_uncertainty_have_no_such_table() -> None:
    runs = [run("one", 0, [tile([[8, 0, 0], [1, 11, 0]], [0.0, 4.0], [0.0, 3.0])])]
    assert "town_uncertainty" not in [document.stem for document in build_documents(runs)]


def test_a_table_wider_than_a_page_lies_on_its_side() -> None:
    groups = {f"predicted {low}-{low + 1} m": (9, 10) for low in range(12)}
    sideways = scored("one", {"overall": (108, 120), **groups})
    tiles = {}
    for name, each in sideways.tiles.items():
        bins = {f"{low}-{low + 1} m": each.height["all"]["overall"] for low in range(12)}
        tiles[name] = each.model_copy(update={"height": {"all": {**each.height["all"], **bins}}})
    by_predicted = panel(document(sideways.model_copy(update={"tiles": tiles})), "predicted")
    assert by_predicted.header == ("", "one")
    assert [row[0].text for row in by_predicted.rows][:2] == ["predictor", "0-1 m"]


def test_costs_of_predictions_stand_beside_the_uncertainties_in_the_report_alone(tmp_path: Path) -> None:
    runs = {"one0": scored("one"), "one1": scored("one", seed=1), "copies": scored("copies", prediction=PREDICTION)}
    runs |= {"none": scored("none")}
    measured = {"one0": (6.0, 2.0, 100), "one1": (20.0, 4.0, 150), "copies": (9.0, 1.0, None)}
    for name, (seconds, mpixel, memory) in measured.items():
        (tmp_path / name).mkdir()
        cost = PredictionCost(seconds=seconds, mpixel=mpixel, peak_memory_mb=memory, device="CPU")
        save_prediction_cost(cost, tmp_path / name / "prediction_cost.json")
    files = [tmp_path / name / "prediction_cost.json" for name in measured]
    costs = prediction_costs({tmp_path / name: run for name, run in runs.items()}, files)
    main = panel(document(*runs.values(), prediction_costs=costs), "uncertainty")
    assert main.header[:4] == ("", "predictor", "s per Mpixel", "memory (MB)")
    texts = {row[0].text: [cell.text for cell in row[2:4]] for row in main.rows}
    assert texts == {"one (2 seeds)": ["4", "125"], "copies (1 seed)": ["9", "–"], "none (1 seed)": ["–", "–"]}
    assert all(cell.measured for row in main.rows for cell in row[2:4])
    assert any(note.startswith("s per Mpixel and memory") for note in notes(main))
    plain = panel(document(*runs.values()), "uncertainty")
    assert [row[2:] for row in plain.rows] == [row[4:] for row in main.rows], "tables that are files have no times"
    write_tables(list(runs.values()), tmp_path / "tables")
    assert not any("Mpixel" in path.read_text() for path in (tmp_path / "tables").iterdir())
