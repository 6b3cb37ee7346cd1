"""Classes of the splits: what cannot be learned, and what cannot be scored."""

import numpy as np
import pytest

from mtlaerial.datasets.check import DatasetReport, check_dataset, summary
from support.town import SIZE, Town

ROAD, HOUSE, GRASS = 0, 1, 2


def labelled(town: Town, train: list[int], test: list[int]) -> DatasetReport:
    """Check the town with some classes in its training tile and some in its test tile."""
    for tile, codes, west in (("a", train, 500_000.0), ("b", test, 500_000.0 + SIZE / 2)):
        labels = np.resize(np.array(codes, np.uint8), (SIZE, SIZE))
        town.write("labels", tile, labels, west=west)
    return check_dataset(town.dataset)


def test_a_class_of_the_test_tiles_without_training_pixels_is_a_warning(town: Town) -> None:
    report = labelled(town, [ROAD, ROAD], [ROAD, HOUSE, ROAD, GRASS])
    (warning,) = report.findings
    assert warning.level == "warning"
    assert warning.found == "no training pixel, but test pixels, of house (1,024), grass (1,024)"
    assert "scored as errors" in warning.remedy
    assert report.ok


def test_a_trained_class_without_test_pixels_is_a_warning(town: Town) -> None:
    (warning,) = labelled(town, [ROAD, HOUSE, GRASS], [ROAD, HOUSE]).findings
    assert (warning.level, warning.found) == ("warning", "no test pixel of grass")
    assert "no mean over classes" in warning.remedy


def test_a_trained_class_without_validation_pixels_is_a_warning(town: Town) -> None:
    town.change(splits={"val": ["b"], "test": []})
    (warning,) = labelled(town, [ROAD, HOUSE, GRASS], [ROAD, HOUSE]).findings
    assert (warning.level, warning.found) == ("warning", "no validation pixel of grass")
    assert "Calibration" in warning.remedy


def test_a_class_that_no_tile_has_is_a_warning(town: Town) -> None:
    (warning,) = labelled(town, [ROAD, HOUSE], [ROAD, HOUSE]).findings
    assert (warning.where, warning.found) == ("labels.classes", "no pixel of grass")


def test_all_classes_in_all_splits_are_no_finding(town: Town) -> None:
    assert labelled(town, [ROAD, HOUSE, GRASS], [GRASS, ROAD, HOUSE]).findings == ()


def test_summary_counts_the_pixels_of_each_class_in_each_split(town: Town) -> None:
    lines = summary(labelled(town, [ROAD, HOUSE], [ROAD, ROAD, ROAD, GRASS])).splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("class "))
    table = [line.split() for line in lines[start : start + 4]]
    assert table == [
        ["class", "train", "pixels", "test", "pixels"],
        ["road", "2,048", "3,072"],
        ["house", "2,048", "0"],
        ["grass", "0", "1,024"],
    ]


@pytest.mark.parametrize("tile", ["a", "b"])
def test_unreadable_labels_make_no_class_absent(town: Town, tile: str) -> None:
    path = town.root / "labels" / f"{tile}.tif"
    path.write_bytes(path.read_bytes()[:-2000])
    findings = check_dataset(town.dataset).findings
    assert not any("pixel of" in finding.found or "training pixel" in finding.found for finding in findings)
