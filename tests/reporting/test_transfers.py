"""Rows of runs that were trained on other data sets: read with their notes, and shown in the report."""

import json
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.reporting.report import ReportInputs, write_report
from mtlaerial.reporting.transfers import RESAMPLED, Transfers, read_transfers, resampling_notes
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.scores_file import save_scores
from support.report_place import specification
from support.sample_scores import run, tile

TESTED = {"town": {"protocol": "fixed split", "margin": 0.01, "notes": ["Rows with (city) were trained on a city."]}}


@pytest.fixture
def rows() -> tuple[Scores, Scores]:
    """Return the scores of a run of the town, and of a run of another city on the town's tiles."""
    trained_there = run("equal", 0, [tile([[8, 0, 0], [1, 11, 0]], [0.0, 4.0, 8.0], [0.0, 3.5, 7.0])])
    return trained_there, trained_there.model_copy(update={"method": "equal (city)"})


def saved(runs: dict[str, Scores], folder: Path) -> list[Path]:
    paths = [folder / f"{name}.json" for name in runs]
    for path, scores in zip(paths, runs.values(), strict=True):
        save_scores(scores, path)
    return paths


def read(rows: tuple[Scores, Scores], folder: Path, record: dict[str, Any]) -> Transfers:
    own, other = saved({"own": rows[0], "other": rows[1]}, folder)
    (folder / "maps").mkdir()
    (folder / "maps" / RESAMPLED).write_text(json.dumps(record))
    return read_transfers([own], [other], [folder / "maps"], TESTED)


def test_rows_are_read_with_their_notes(rows: tuple[Scores, Scores], tmp_path: Path) -> None:
    transfers = read(rows, tmp_path, {"trained": 0.5, "tiles": {"x": 0.25}})
    assert [scores.method for scores in transfers.scores] == ["equal", "equal (city)"]
    assert transfers.margins == {"town": 0.01}
    assert transfers.notes is not None
    given, resampled = transfers.notes["town"]
    assert given == "Rows with (city) were trained on a city."
    assert resampled.startswith("equal (city): images of 1 test tile with pixels of 0.25 m were resampled to the 0.5 m")


def test_the_report_shows_them_beside_the_own_runs(rows: tuple[Scores, Scores], tmp_path: Path) -> None:
    transfers = read(rows, tmp_path, {"trained": 0.5, "tiles": {}})
    write_report(ReportInputs([rows[0]], {"town": specification()}, transfers=transfers), tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    _, _, after = text.partition("<h4>Runs of other data sets on these tiles</h4>")
    table = after[: after.index("</details>")]
    assert "equal (city)" in table
    assert "Rows with (city) were trained on a city." in table
    assert "equal (city)" not in text.replace(table, "")
    assert text.count('id="town-main') == len({"town-main", "town-main-transfer"})


def test_notes_name_the_tiles_that_were_resampled() -> None:
    rows = [
        ("equal (a)", {"trained": 0.5, "tiles": {}}),
        ("equal (b)", {"trained": 0.5, "tiles": {"x": 0.25, "y": 0.3}}),
    ]
    (note,) = resampling_notes([*rows, rows[1]])
    assert note.startswith("equal (b): images of 2 test tiles with pixels of 0.25 to 0.3 m were resampled to the 0.5 m")
