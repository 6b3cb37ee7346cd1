"""Random pixels of each mapped class, without replacement, from a map of any size."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mtlaerial.accuracy.class_map import ClassMap


class Pixels(NamedTuple):
    """Pixels of a map: code of the class, row and column of each, shape (pixels,)."""

    codes: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]


def draw_pixels(class_map: ClassMap, counts: NDArray[np.int64], sizes: NDArray[np.int64], seed: int) -> Pixels:
    """Draw pixels of each class at random, each with the same probability.

    The pixels follow from the seed, the map and the sizes alone, not from the blocks that it is read in. They are in
    random order, so that the first ones that are labelled are a random sample of their classes too.

    Parameters
    ----------
    class_map : ClassMap
    counts, sizes : array of int64, shape (classes,)
        Pixels of each class, and how many of them are drawn.
    seed : int
    """
    ranks = [
        np.sort(np.random.default_rng([seed, code]).choice(count, size, replace=False, shuffle=False))
        for code, (count, size) in enumerate(zip(counts, sizes, strict=True))
    ]
    pixels = _pixels_of(class_map, ranks)
    by_class = np.lexsort((pixels.columns, pixels.rows, pixels.codes))  # blocks give another order
    order = np.random.default_rng(seed).permutation(by_class)
    return Pixels(*(values[order] for values in pixels))


def _pixels_of(class_map: ClassMap, ranks: Sequence[NDArray[np.int64]]) -> Pixels:
    """Return the pixels with given ranks, ascending, among those of their class in the order of rows."""
    passed = np.zeros(len(ranks), dtype=np.int64)
    pixels: list[tuple[int, int, int]] = []
    for top, codes in class_map.blocks("placing points"):
        for code, of_class in enumerate(ranks):
            if passed[code] > of_class.max(initial=-1):
                continue
            of_class_code = codes == code
            ends = passed[code] + of_class_code.sum(axis=1).cumsum()
            first, last = np.searchsorted(of_class, [passed[code], ends[-1]])
            chosen = of_class[first:last]
            # Pixels of a class are listed row by row, where a point lies: a list for a whole block would be large.
            for rank, row in zip(chosen, np.searchsorted(ends, chosen, side="right"), strict=True):
                columns = np.flatnonzero(of_class_code[row])
                pixels.append((code, top + int(row), int(columns[rank - ends[row] + len(columns)])))
            passed[code] = ends[-1]
    return Pixels(*np.array(pixels, dtype=np.int64).reshape(-1, 3).T)
