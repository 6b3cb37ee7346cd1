"""Tables as plain text for a terminal."""

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from mtlaerial.reporting.tables.panels import Document, Panel

WIDEST = 100
"""Most characters of a line, as long lines are hard to read."""
_GAP = "  "


def document_text(document: "Document") -> str:
    """Return the tables of a document as text; see :func:`panels_text`."""
    return panels_text(document.panels) if document.panels else f"{document.nothing}\n"


def panels_text(panels: Sequence["Panel"]) -> str:
    """Return tables as text: caption, columns, notes.

    A table that is wider than the terminal continues below itself, and repeats the names of its rows. Bold numbers are
    so by an escape sequence, which ``typer.echo`` leaves out where the output is no terminal.
    """
    width = min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns)
    blocks = (block for panel in panels for block in _blocks(panel, width) if block)
    return "\n\n".join(blocks) + "\n"


def _blocks(panel: "Panel", width: int) -> Iterator[str]:
    yield _filled(panel.caption, width)
    texts = [panel.header, *(tuple(cell.text for cell in row) for row in panel.rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for columns in _parts(widths, width):
        yield "\n".join(_lines(panel, columns, widths))
    notes = (" ".join(filter(None, (note.text, note.url))) for note in panel.notes)
    yield "\n".join(_filled(note, width, indent="  ") for note in notes)


def _parts(widths: Sequence[int], width: int) -> list[list[int]]:
    """Return the columns of each part of a table: the names of the rows, and as many others as fit, at least one."""
    parts = [[0]]
    for column in range(1, len(widths)):
        used = sum(len(_GAP) + widths[each] for each in (*parts[-1], column)) - len(_GAP)
        if used > width and len(parts[-1]) > 1:
            parts.append([0])
        parts[-1].append(column)
    return parts


def _lines(panel: "Panel", columns: Sequence[int], widths: Sequence[int]) -> Iterator[str]:
    """Yield the lines of a part of a table: its header, a rule, its rows."""
    yield _GAP.join(_aligned(panel.header[column], column, widths) for column in columns)
    yield _GAP.join("-" * widths[column] for column in columns)
    for row in panel.rows:
        texts = [(_aligned(row[column].text, column, widths), row[column].bold) for column in columns]
        yield _GAP.join(typer.style(text, bold=True) if bold else text for text, bold in texts)


def _aligned(text: str, column: int, widths: Sequence[int]) -> str:
    """Return the text of a cell: names of rows on the left, all others on the right."""
    return text.rjust(widths[column]) if column else text.ljust(widths[column])


def _filled(text: str, width: int, indent: str = "") -> str:
    """Return a text in lines, all but the first of which are indented."""
    return textwrap.fill(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
