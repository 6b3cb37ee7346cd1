"""Sheets: the squares that a region is mapped by, and the jobs that map several of them."""

from collections.abc import Sequence
from typing import NamedTuple

from mtlaerial.regions.mosaic import Span

SHEETS = "sheets"
"""Folder of the sheets' folders, among the maps of a region."""
JOBS = "jobs"
"""Folder of the jobs' records, beside it."""
EMPTY = "empty.json"
"""File in the folder of a sheet without a pixel that is image."""


class Sheet(NamedTuple):
    """A sheet by its row and column in the grid of sheets."""

    row: int
    column: int

    @property
    def name(self) -> str:
        """Name of the sheet's folder; names sort from north to south, then from west to east.

        Examples
        --------
        >>> Sheet(3, 12).name
        'r0003_c0012'
        """
        return f"r{self.row:04d}_c{self.column:04d}"

    def span(self, side: int, height: int, width: int) -> Span:
        """Return the pixels of the sheet in a region of a height and width; those at its ends are smaller."""
        row, column = self.row * side, self.column * side
        return Span(row, column, min(side, height - row), min(side, width - column))


def sheets_of(span: Span, side: int) -> list[Sheet]:
    """Return the sheets of a side that have pixels of a span of the region."""
    rows = range(max(0, span.row) // side, (span.row + span.rows - 1) // side + 1)
    columns = range(max(0, span.column) // side, (span.column + span.columns - 1) // side + 1)
    return [Sheet(row, column) for row in rows for column in columns]


def jobs_of(sheets: Sequence[Sheet], sheets_per_job: int) -> list[list[Sheet]]:
    """Return the sheets of each job: neighbours along a row, so that a job opens few images.

    Examples
    --------
    >>> jobs_of([Sheet(0, 1), Sheet(0, 0), Sheet(1, 0)], 2)
    [[Sheet(row=0, column=0), Sheet(row=0, column=1)], [Sheet(row=1, column=0)]]
    """
    ordered = sorted(sheets)
    return [ordered[first : first + sheets_per_job] for first in range(0, len(ordered), sheets_per_job)]


def number_of_jobs(sheets: int, sheets_per_job: int) -> int:
    """Return how many jobs :func:`jobs_of` makes of so many sheets."""
    return -(-sheets // sheets_per_job)
