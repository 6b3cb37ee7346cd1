"""Tables on a terminal: plain text in aligned columns, no wider than the terminal."""

import pandas as pd
import pytest

from mtlaerial.cli.table_text import document_text, panels_text
from mtlaerial.reporting.tables.panels import NOTHING, Cell, Document, Note, Panel

HEADER = ("method", *(f"score_{number} (%)" for number in range(6)))
ROWS = (
    ("equal_weights", *(f"{number}.5 ± 0.1" for number in range(6))),
    ("rlw [2]", *(f"1{number}.5" for number in range(6))),
)


def panel(*bold: int) -> Panel:
    rows = tuple(tuple(Cell(text, bold=column in bold) for column, text in enumerate(row)) for row in ROWS)
    note = Note(
        "A note on low_vegetation that is long enough to be broken on a terminal of 60 columns.", "https://a.b/c_d"
    )
    return Panel("key", "town", "My_town", "scores", "Mean ± std.", HEADER, rows, (note,))


@pytest.fixture(params=[60, 100])
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    return int(request.param)


def test_a_table_fits_the_terminal_and_escapes_nothing(width: int) -> None:
    text = panels_text([panel()])
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert "\\" not in text
    assert "*" not in text
    assert lines[0] == "My_town: scores. Mean ± std."
    assert lines[-1].endswith("https://a.b/c_d")


def test_all_columns_are_shown_in_parts_that_repeat_the_names(width: int) -> None:
    lines = panels_text([panel()]).splitlines()
    headers = [line.split() for line in lines if line.startswith("method")]
    assert [name for header in headers for name in header if name.startswith("score_")] == [
        f"score_{number}" for number in range(6)
    ]
    assert len(headers) == (2 if width == 60 else 1)
    assert sum(line.startswith("equal_weights  ") for line in lines) == len(headers)
    rows = [line for line in lines if line.startswith(("method", "equal_weights", "rlw [2]"))]
    assert len({len(line) for line in rows[:3]}) == 1, "numbers are aligned on the right"


def test_a_column_wider_than_the_terminal_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    assert panels_text([panel()]).count("method ") == len(HEADER) - 1


def test_bold_numbers_are_bold_and_stay_aligned() -> None:
    plain, bold = panels_text([panel()]), panels_text([panel(2)])
    assert "\x1b[1m" in bold
    assert bold.replace("\x1b[1m", "").replace("\x1b[0m", "") == plain


def test_a_document_without_tables_says_so() -> None:
    assert document_text(Document("town", (), pd.DataFrame())) == f"{NOTHING}\n"
