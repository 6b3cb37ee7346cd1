"""Mosaics: the first valid image counts, and what no image has is invalid."""

from dataclasses import dataclass

import numpy as np
from rasterio.windows import Window

from mtlaerial.rasters.validity import Pixels
from mtlaerial.regions.mosaic import Mosaic, Span


@dataclass
class Plain:
    """An image of one value, invalid in its first column."""

    span: Span
    value: int
    reads: int = 0

    def read(self, window: Window) -> Pixels:
        self.reads += 1
        shape = int(window.height), int(window.width)
        invalid = np.zeros(shape, bool)
        if window.col_off == 0:
            invalid[:, 0] = True
        return Pixels(np.full((1, *shape), self.value, np.uint8), invalid if invalid.any() else None)


def mosaic(*images: Plain, origin: tuple[int, int] = (0, 0)) -> Mosaic:
    return Mosaic(images, origin, count=1, dtype=np.dtype(np.uint8))


def test_overlaps_go_to_the_first_image_and_its_invalid_pixels_to_the_next() -> None:
    first, second = Plain(Span(0, 2, 4, 4), 1), Plain(Span(0, 0, 4, 4), 2)
    values, invalid = mosaic(first, second).read(Window(0, 0, 7, 4))
    assert values[0, 0].tolist() == [0, 2, 2, 1, 1, 1, 0]
    assert invalid is not None
    assert invalid[0].tolist() == [True, False, False, False, False, False, True]


def test_the_order_of_images_decides_not_their_place() -> None:
    first, second = Plain(Span(0, 0, 1, 4), 2), Plain(Span(0, 2, 1, 4), 1)
    assert mosaic(first, second).read(Window(1, 0, 5, 1)).values[0, 0].tolist() == [2, 2, 2, 1, 1]


def test_an_image_that_others_hide_is_not_read() -> None:
    first, hidden = Plain(Span(0, 0, 4, 9), 1), Plain(Span(0, 2, 4, 4), 2)
    values, invalid = mosaic(first, hidden).read(Window(1, 0, 8, 4))
    assert (values == 1).all()
    assert invalid is None
    assert hidden.reads == 0


def test_a_mosaic_that_begins_elsewhere_reads_the_same_pixels() -> None:
    images = Plain(Span(10, 10, 6, 6), 1), Plain(Span(12, 12, 9, 9), 2)
    whole = mosaic(*images).read(Window(0, 0, 25, 25))
    part = mosaic(*images, origin=(8, 11)).read(Window(2, 3, 9, 7))
    assert np.array_equal(part.values, whole.values[:, 11:18, 13:22])
    assert whole.invalid is not None
    assert part.invalid is not None
    assert np.array_equal(part.invalid, whole.invalid[11:18, 13:22])
