"""Choice of proposed outlines: as by all pairs at once, in any parts."""

from collections.abc import Iterator

import numpy as np
import pytest
import shapely

from mtlaerial.objects.object_store import Outlines
from mtlaerial.objects.overlaps import without_overlaps

REACH = 5.0


def random_outlines(rng: np.random.Generator) -> Outlines:
    """Return rectangles in five columns and a sixth of long ones, by first pixels, with larger or smaller proposals."""
    firsts = np.concatenate([np.arange(200)[np.arange(200) % 10 < 5], [5, 105]])
    firsts.sort()
    row, column = np.divmod(firsts, 10)
    south = np.where(column == 5, 98, rng.uniform(4, 8, len(firsts)))
    west, north = 10.0 * column, -10.0 * row
    polygons = shapely.box(west, north - south, west + 8, north)
    grown = shapely.buffer(polygons, rng.uniform(-2, REACH / 2, len(firsts)), join_style="mitre")
    return Outlines(firsts, polygons, np.where(rng.random(len(firsts)) < 0.8, grown, None))


def all_at_once(outlines: Outlines) -> list[int]:
    """Return the adopted outlines by rounds over all pairs."""
    proposed = np.array([each is not None for each in outlines.proposals])
    changed = proposed.copy()
    while True:
        current = np.where(changed, outlines.proposals, outlines.polygons)
        overlapping = np.zeros(len(current), dtype=bool)
        for i in range(len(current)):
            for j in range(i):
                if (changed[i] or changed[j]) and current[i].intersection(current[j]).area > 1e-9:
                    overlapping[[i, j]] = True
        if not (overlapping & changed).any():
            return outlines.firsts[changed].tolist()
        changed &= ~overlapping


@pytest.mark.parametrize("size", [1, 7, 200])
def test_parts_give_the_choice_over_all_pairs(size: int) -> None:
    outlines = random_outlines(np.random.default_rng(0))

    def parts() -> Iterator[Outlines]:
        for first in range(0, len(outlines.firsts), size):
            yield Outlines(*(values[first : first + size] for values in outlines))

    expected = all_at_once(outlines)
    assert 10 < len(expected) < 50
    assert without_overlaps(parts, REACH, 1e-9).tolist() == expected


def test_an_outline_along_pixels_takes_back_a_neighbour_that_overlaps_it() -> None:
    # The first two overlap each other; the third one overlaps what the second one keeps, not what it proposes.
    squares = shapely.box(np.array([0, 10, 20]), 0, np.array([8, 18, 28]), 8)
    proposals = np.array([shapely.box(0, 0, 11.5, 8), shapely.box(11, 0, 16, 8), shapely.box(17, 0, 28, 8)])
    outlines = Outlines(np.array([0, 10, 20]), squares, proposals)
    assert without_overlaps(lambda: iter([outlines]), REACH, 1e-9).tolist() == []
    alone = Outlines(*(values[1:] for values in outlines))
    assert without_overlaps(lambda: iter([alone]), REACH, 1e-9).tolist() == [10, 20]
