"""Eroded labels: test tiles without them, where others have them."""

import numpy as np
import pytest

from mtlaerial.config import merge
from mtlaerial.datasets.check import DatasetReport, check_dataset
from support.town import SIZE, Town

PLACES = {"b": 500_000.0 + SIZE / 2, "c": 500_000.0 + SIZE}


def checked(town: Town, eroded: list[str], splits: dict[str, list[str]]) -> DatasetReport:
    """Check the town with a third tile, and with eroded labels of some tiles."""
    classes = np.resize(np.array([0, 1, 2], np.uint8), (SIZE, SIZE))
    town.write("image", "c", town.image(), west=PLACES["c"])
    town.write("height", "c", town.heights(), gsd=1.0, west=PLACES["c"], nodata=-9999)
    for tile, west in {"a": 500_000.0, **PLACES}.items():
        town.write("labels", tile, classes, west=west)
    for tile in eroded:
        town.write("eroded", tile, classes, west=PLACES[tile])
    town.spec = merge(town.spec, {"labels": {"eroded": {"files": "eroded/{tile}.tif"}}, "splits": splits})
    return check_dataset(town.dataset)


def test_scores_on_eroded_labels_of_some_test_tiles_are_said(town: Town) -> None:
    (warning,) = checked(town, ["c"], {"train": ["a"], "test": ["b", "c"]}).findings
    assert (warning.level, warning.where) == ("warning", "labels.eroded.files")
    assert warning.found == "no file of 1 of 2 test tiles: b"
    assert "of the others alone" in warning.remedy


@pytest.mark.parametrize(
    ("eroded", "splits"),
    [
        ([], {"train": ["a"], "test": ["b", "c"]}),
        (["b", "c"], {"train": ["a"], "test": ["b", "c"]}),
        (["c"], {"train": ["a"], "val": ["b"], "test": ["c"]}),
    ],
    ids=["none", "all", "only the test tile"],
)
def test_eroded_labels_of_none_or_all_test_tiles_are_no_finding(
    town: Town, eroded: list[str], splits: dict[str, list[str]]
) -> None:
    assert checked(town, eroded, splits).findings == ()
