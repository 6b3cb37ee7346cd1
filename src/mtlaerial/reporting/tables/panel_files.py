"""Tables of one subject as a Markdown and a CSV file, for commands outside the workflow."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mtlaerial.errors import DataError
from mtlaerial.reporting.tables.panels import Cell, Note, Panel
from mtlaerial.reporting.tables.render import markdown_panel
from mtlaerial.system.files import require_place, write_text

Row = tuple[str, ...]


def text_panel(
    key: str, source: str, subject: str, header: Row, rows: Sequence[Row], notes: Sequence[Note] = ()
) -> Panel:
    """Return a table of texts.

    Parameters
    ----------
    key : str
        Unique key of the table.
    source : str
        What the numbers are of: the folder or file.
    subject : str
        Caption.
    header, rows : texts, the first of each is a name
    notes : sequence of Note
    """
    cells = tuple(tuple(map(Cell, row)) for row in rows)
    return Panel(key, source, source, subject, "", header, cells, tuple(notes))


def panels_markdown(panels: Sequence[Panel]) -> str:
    """Return tables as Markdown."""
    return "\n\n".join(map(markdown_panel, panels)) + "\n"


def panel_paths(folder: Path, stem: str, replace: bool) -> tuple[Path, Path]:
    """Return the paths of the CSV and the Markdown file in a folder.

    Raises
    ------
    DataError
        When one of them exists and is not to be replaced, or the folder cannot be written to.
    """
    table, text = folder / f"{stem}.csv", folder / f"{stem}.md"
    for path in (table, text):
        if path.exists() and not replace:
            raise DataError(path, "a file", "a place without one", "Choose another --out, or add --replace.")
    require_place(table)
    return table, text


def write_panels(paths: tuple[Path, Path], panels: Sequence[Panel], table: pd.DataFrame) -> None:
    """Write the same numbers as CSV and as Markdown; see :func:`panel_paths`."""
    write_text(paths[0], table.to_csv(index=False, float_format="%.9g", lineterminator="\n"))
    write_text(paths[1], panels_markdown(panels))
