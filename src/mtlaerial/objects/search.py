"""Search for objects, strip by strip: components, outlines and sums."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from mtlaerial.objects.components import Components, join_seam, label_components
from mtlaerial.objects.corners import Corners, find_corners
from mtlaerial.objects.height_histograms import HeightHistograms
from mtlaerial.objects.outlines import Polygons, outline
from mtlaerial.objects.strip import NO_CLASS, Strip
from mtlaerial.objects.tallies import Tallies, tally


class Objects(NamedTuple):
    """Objects that are complete.

    Attributes
    ----------
    polygons : array of shapely.Polygon
    tallies : Tallies
    heights : dict of str to array of float64, metres
        ``median``, ``p90``, ``max`` and ``mean`` of the pixels' heights; NaN without any.
    """

    polygons: Polygons
    tallies: Tallies
    heights: dict[str, NDArray[np.float64]]


class ObjectSearch:
    """Search that takes a region's strips from north to south, and returns objects once they are complete.

    It holds the last row of pixels, and corners, sums and histograms of the objects that reach it, which are open.

    Parameters
    ----------
    columns : int
        Columns of the region.
    classes : sequence of int
        Codes of the classes whose objects are searched for.
    transform : Affine
        From the region's columns and rows to coordinates, with north up.
    smallest, smallest_hole : float
        Areas in pixels: smaller objects are left out, smaller holes filled. The second is at most the first, so that no
        object lies in a hole that is filled.
    """

    def __init__(
        self, columns: int, classes: Sequence[int], transform: Affine, smallest: float, smallest_hole: float
    ) -> None:
        assert smallest_hole <= smallest
        self._classes, self._transform = classes, transform
        self._smallest, self._smallest_hole = smallest, smallest_hole
        self._row_labels = np.zeros(columns, dtype=np.int32)
        self._row_codes = np.full(columns, NO_CLASS, dtype=np.uint8)
        self._corners = Corners.none()
        self._tallies = Tallies.none()
        self._histograms = HeightHistograms(np.zeros(0, np.int64), np.zeros(0, np.int64))
        self.left_out = 0
        """Number of objects that are left out as too small."""

    def add(self, strip: Strip, last: bool) -> Objects:
        """Take the next strip, and return the objects that end in it, in any order.

        Parameters
        ----------
        strip : Strip
        last : bool
            Whether it is the southernmost one.
        """
        components = label_components(strip.codes, self._classes)
        count, sets = join_seam(self._row_labels, self._tallies.codes, components)
        tallies = self._tallies.united(tally(strip, components.labels, components.codes), sets, count)
        numbers = self._numbers(components.labels[-1], sets, tallies, last)
        opened = len(self._tallies)
        self._tallies = tallies.take(numbers > 0)
        labels, codes = self._framed(components, strip.codes, numbers[sets], opened, last)
        self._mark_edges(labels, codes)
        self._corners = _retained(self._corners, numbers[sets[:opened]]).joined(find_corners(labels, strip.row))
        histograms = self._histograms.renumbered(numbers[sets[:opened]] - 1)
        self._histograms = histograms.united(HeightHistograms.of(labels[1 : len(strip.codes) + 1, 1:-1], strip.heights))
        self._row_codes = strip.codes[-1]
        return self._complete(labels[-1, 1:-1])

    def _numbers(
        self, row: NDArray[np.int32], sets: NDArray[np.int32], tallies: Tallies, last: bool
    ) -> NDArray[np.int32]:
        """Return the new number of each set, from 1; 0 of those that are complete and too small."""
        reaching = np.zeros(len(tallies), dtype=np.bool_)
        if not last:
            reaching[sets[len(self._tallies) :][np.unique(row[row > 0]) - 1]] = True
        retained = reaching | (tallies.pixels >= self._smallest)
        self.left_out += int(np.count_nonzero(~retained))
        return np.where(retained, np.cumsum(retained), 0).astype(np.int32)

    def _framed(
        self, components: Components, codes: NDArray[np.uint8], numbers: NDArray[np.int32], opened: int, last: bool
    ) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """Return objects and classes of the strip, with the row above, and of the last strip one below, and margins."""
        below = _from_one(numbers[opened:])[components.labels]
        above = _from_one(numbers[:opened])[self._row_labels]
        margins = ((1, int(last)), (1, 1))
        labels = np.pad(below, margins)
        labels[0, 1:-1] = above
        framed_codes = np.pad(codes, margins, constant_values=NO_CLASS)
        framed_codes[0, 1:-1] = self._row_codes
        return labels, framed_codes

    def _mark_edges(self, labels: NDArray[np.int32], codes: NDArray[np.uint8]) -> None:
        """Mark the objects beside pixels without a class."""
        empty = codes == NO_CLASS
        for of_object, beside in (
            (labels[:-1], empty[1:]),
            (labels[1:], empty[:-1]),
            (labels[:, :-1], empty[:, 1:]),
            (labels[:, 1:], empty[:, :-1]),
        ):
            touching = of_object[beside]
            self._tallies.at_edge[touching[touching > 0] - 1] = True

    def _complete(self, row: NDArray[np.int32]) -> Objects:
        """Take the objects that do not reach a row out of the open ones, and return them."""
        reaching = np.zeros(len(self._tallies), dtype=np.bool_)
        reaching[row[row > 0] - 1] = True
        renumbered = [np.where(mask, np.cumsum(mask), 0).astype(np.int32) for mask in (reaching, ~reaching)]
        # Outlines take several times the memory of their corners, so that no other ones of them are left by then.
        ended, self._corners = (_retained(self._corners, each) for each in reversed(renumbered))
        polygons = outline(ended, self._transform, self._smallest_hole)
        histograms = self._histograms.renumbered(renumbered[1] - 1)
        objects = Objects(polygons, self._tallies.take(~reaching), histograms.measures(len(polygons)))
        self._histograms = self._histograms.renumbered(renumbered[0] - 1)
        self._tallies = self._tallies.take(reaching)
        self._row_labels = _from_one(renumbered[0])[row]
        return objects


def _retained(corners: Corners, numbers: NDArray[np.int32]) -> Corners:
    """Return the corners of the objects whose new number is not 0, by which they are known then."""
    renumbered = corners.renumbered(_from_one(numbers))
    return renumbered.take(renumbered.objects > 0)


def _from_one(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return a table of numbers that is indexed by numbers from 1, and holds 0 for 0."""
    return np.concatenate([np.zeros(1, dtype=np.int32), numbers])
