"""Regridding: a cell is the mean of the pixels whose centres lie in it."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from affine import Affine

from mtlaerial.prediction.blending.regrid import Cells, axes
from mtlaerial.rasters.grid import Grid
from support import tiny

CASES = [
    (1.0, 0.0, 12, 12),
    (0.5, 0.0, 12, 6),
    (0.1, 0.0, 95, 10),
    (1 / 1.7, 0.3, 40, 25),
    (0.5, 0.5, 12, 7),
    (1.0, 0.3, 12, 13),
    (1.0, 0.5, 12, 13),
    (1.0, -0.5, 12, 12),
    (1.0, -4.0, 12, 5),
    (0.5, 3.0, 12, 14),
    (0.5, -3.0, 12, 8),
    (0.5, 9.0, 12, 4),
    (2.0, 0.0, 6, 12),
    (2.0, 0.5, 6, 13),
    (3.3, -2.0, 6, 30),
]
"""Cells per pixel, offset in cells, pixels, cells."""


def pixels_of(cell: int, scale: float, offset: float, pixels: int) -> list[int]:
    """Return the pixels of a cell, found one by one."""
    if scale > 1:
        centre = (cell + 0.5 - offset) / scale
        return [p for p in range(pixels) if p + 1e-6 < centre <= p + 1 + 1e-6]
    return [p for p in range(pixels) if cell <= scale * (p + 0.5) + offset + 1e-9 < cell + 1]


@pytest.mark.parametrize(("scale", "offset", "pixels", "cells"), CASES)
def test_cells_hold_the_pixels_whose_centres_they_hold(scale: float, offset: float, pixels: int, cells: int) -> None:
    grid = Cells.of(scale, offset, pixels, cells)
    assert len(grid) == cells
    for cell in range(cells):
        held = list(range(int(grid.first[cell]), int(grid.last[cell])))
        assert held == pixels_of(cell, scale, offset, pixels), cell


@pytest.mark.parametrize(("scale", "offset", "pixels", "cells"), [case for case in CASES if case[0] <= 1])
def test_every_pixel_under_the_cells_is_used_once(scale: float, offset: float, pixels: int, cells: int) -> None:
    grid = Cells.of(scale, offset, pixels, cells)
    used = np.concatenate([np.arange(a, b) for a, b in zip(grid.first, grid.last, strict=True)])
    centres = scale * (np.arange(pixels) + 0.5) + offset + 1e-9
    np.testing.assert_array_equal(used, np.flatnonzero((centres >= 0) & (centres < cells)))


@pytest.mark.parametrize(("scale", "offset", "pixels", "cells"), CASES)
def test_cells_are_complete_when_their_last_pixel_has_passed(
    scale: float, offset: float, pixels: int, cells: int
) -> None:
    grid = Cells.of(scale, offset, pixels, cells)
    for done in range(pixels + 1):
        first, complete = grid.completed(0, done)
        assert first == 0
        assert (grid.last[:complete] <= done).all()
        assert complete == cells or grid.last[complete] > done
        assert grid.needed(done) == (min(grid.first[complete], done) if complete < cells else done)
    assert grid.completed(0, pixels) == (0, cells)


@pytest.mark.parametrize(("scale", "offset", "pixels", "cells"), CASES)
def test_every_cell_is_completed_once(scale: float, offset: float, pixels: int, cells: int) -> None:
    grid = Cells.of(scale, offset, pixels, cells)
    edges = sorted({0, pixels // 3, pixels // 2, pixels})
    ranges = [grid.completed(begin, end) for begin, end in pairwise(edges)]
    assert all(last == first for (_, last), (first, _) in pairwise(ranges))
    assert (ranges[0][0], ranges[-1][1]) == (0, cells)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_means_along_any_axis_from_any_origin(axis: int) -> None:
    cells = Cells.of(0.4, 0.2, 20, 8)
    values = torch.randn(20, 20, 20, generator=torch.Generator().manual_seed(0))
    origin = int(cells.first[2])
    part = values.narrow(axis, origin, 20 - origin)
    means = cells.mean(part, axis, (2, 7), origin)
    for number, cell in enumerate(range(2, 7)):
        held = values.narrow(axis, int(cells.first[cell]), int(cells.last[cell] - cells.first[cell]))
        torch.testing.assert_close(means.select(axis, number), held.mean(dim=axis))


def test_a_cell_without_pixels_is_not_a_number() -> None:
    cells = Cells.of(0.5, 1.0, 4, 4)
    means = cells.mean(torch.ones(4), 0, (0, 4), 0)
    assert [math.isnan(value) for value in means.tolist()] == [True, False, False, True]


def test_rows_and_columns_of_a_grid() -> None:
    image = Grid(tiny.UTM, Affine(0.5, 0, 100, 0, -0.5, 200), 8, 12)
    rows, columns = axes(image, Grid(tiny.UTM, Affine(1.0, 0, 101, 0, -2.0, 200), 2, 5))
    assert (rows.first.tolist(), rows.last.tolist()) == ([0, 4], [4, 8])
    assert (columns.first.tolist(), columns.last.tolist()) == ([2, 4, 6, 8, 10], [4, 6, 8, 10, 12])
