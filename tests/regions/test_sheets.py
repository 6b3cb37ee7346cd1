"""Sheets of a region and the jobs that map them."""

from mtlaerial.regions.mosaic import Span
from mtlaerial.regions.sheets import Sheet, jobs_of, sheets_of


def test_sheets_divide_a_region_without_gaps_or_overlaps() -> None:
    height, width, side = 25, 31, 10
    covered = [[0] * width for _ in range(height)]
    for sheet in sheets_of(Span(0, 0, height, width), side):
        span = sheet.span(side, height, width)
        for row in range(span.row, span.row + span.rows):
            for column in range(span.column, span.column + span.columns):
                covered[row][column] += 1
    assert {count for row in covered for count in row} == {1}


def test_a_span_has_the_sheets_that_it_touches() -> None:
    assert sheets_of(Span(9, 20, 2, 1), 10) == [Sheet(0, 2), Sheet(1, 2)]
    assert sheets_of(Span(0, 0, 10, 10), 10) == [Sheet(0, 0)]


def test_every_sheet_is_in_one_job() -> None:
    sheets = sheets_of(Span(0, 0, 70, 50), 10)
    jobs = jobs_of(sheets[::-1], 8)
    assert [len(job) for job in jobs] == [8, 8, 8, 8, 3]
    assert [sheet for job in jobs for sheet in job] == sheets
