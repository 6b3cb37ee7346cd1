"""The classes in labels: each fault gives just its finding."""

import numpy as np
import pytest

from mtlaerial.datasets.check import check_dataset
from support.town import COLOURS, SIZE, SPEC, WEST, Town, only


def test_unknown_codes(town: Town) -> None:
    labels = town.labels()
    labels[0, :3], labels[1, :2] = 77, 88
    codes = "77 (3 pixels), 88 (2 pixels)"
    only("error", town.write("labels", "a", labels), town.check(), codes, "0 road", "1 house", "3 grass", "9 ignored")


def test_negative_codes(town: Town) -> None:
    labels = town.labels().astype(np.int16)
    labels[0, 0] = -1
    only("error", town.write("labels", "a", labels), town.check(), "-1 (1 pixels)")
    town.write("labels", "a", labels, nodata=-1)
    assert town.check().findings == ()


@pytest.fixture
def colourful(town: Town) -> Town:
    classes = [{**c, "values": [tuple(v)]} for c, v in zip(SPEC["labels"]["classes"], COLOURS.tolist(), strict=True)]
    town.change(labels={"encoding": "rgb", "classes": classes, "ignore": ["#ff0000"]})
    for tile, west in (("a", WEST), ("b", WEST + 32)):
        town.write("labels", tile, np.moveaxis(COLOURS[town.labels() % 3], -1, 0), west=west)
    return town


def test_colours(colourful: Town) -> None:
    assert check_dataset(colourful.dataset).findings == ()
    image = np.moveaxis(COLOURS[colourful.labels() % 3], -1, 0).copy()
    image[:, 0, 0] = 1, 2, 3
    path = colourful.write("labels", "a", image)
    only("error", path, colourful.check(), "(1, 2, 3) (1 pixels)", "(0, 0, 255) house", "(255, 0, 0) ignored")


def test_colour_form(colourful: Town) -> None:
    path = colourful.write("labels", "a", colourful.labels())
    only("error", path, colourful.check(), "1 band of uint8", "3 bands of uint8")
    path = colourful.write("labels", "a", np.zeros((3, SIZE, SIZE), dtype=np.uint16))
    only("error", path, colourful.check(), "3 bands of uint16")


def test_code_form(town: Town) -> None:
    path = town.write("labels", "a", town.labels().astype(np.float32))
    only("error", path, town.check(), "1 band of float32", "integer codes")
    only("error", town.write("labels", "a", town.image()), town.check(), "3 bands of uint8", "labels.encoding")


@pytest.mark.parametrize(("tile", "level"), [("a", "error"), ("b", "warning")])
def test_all_ignored(town: Town, tile: str, level: str) -> None:
    west = WEST + 32 * (tile == "b")
    path = town.write("labels", tile, np.full((SIZE, SIZE), 9, dtype=np.uint8), west=west)
    only(level, path, town.check(tile), "no pixel with a class")


def test_tag_that_is_a_class(town: Town) -> None:
    path = town.write("labels", "a", town.labels(), nodata=1)
    report = town.check()
    only("warning", path, report, "the no-data tag 1", "house")
    assert report.labels
    assert report.labels.classes["house"] == 0
