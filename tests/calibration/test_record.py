"""Calibration as plain data: what is written is read, and what does not fit together is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.calibration.record import Calibration, ClassCalibration, ErrorScale, HeightCalibration, parse_calibration
from mtlaerial.config import PredictionSpec, merge
from mtlaerial.errors import ConfigError, DataError

HEIGHTS = HeightCalibration(
    scale=ErrorScale(kind="deviation", offset=0.5, unknown=2.0, cells=20),
    edges=(2.0, 10.0),
    levels=(0.5, 0.9),
    factors=((0.7, 1.6), (0.7, 1.7), (1.1, 3.25)),
    units=((80, 80), (44, 44), (4, 56)),
    cell_side=60.0,
    notes=("No 95 % intervals: 12 calibration cells; at least 19 needed.",),
)
CLASSES = ClassCalibration(temperature=1.7, cells=80, pixels=20480, likelihood_before=0.5, likelihood_after=0.4)
CALIBRATION = Calibration(
    run="cd34",
    predictor="dropout",
    prediction=PredictionSpec(dropout_passes=30, spread=("samples",)),
    tiles={"town_1": "ab12"},
    classes={"semantics": CLASSES},
    heights={"height": HEIGHTS},
    remarks=("The same tiles chose the weights.",),
)
PLACE = Path("calibration.yaml")


def test_a_calibration_survives_json_and_yaml() -> None:
    data = CALIBRATION.model_dump(mode="json")
    assert parse_calibration(json.loads(json.dumps(data)), PLACE) == CALIBRATION
    assert parse_calibration(yaml.safe_load(yaml.safe_dump(data)), PLACE) == CALIBRATION


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"levels": [0.5]}, "found another shape; expected 3 bins, with 1 levels each"),
        ({"edges": [2.0]}, "expected 2 bins, with 2 levels each"),
        ({"edges": [10.0, 2.0]}, "expected ascending edges, each once"),
        ({"units": [[80, 80], [44, 44], [4, 8]]}, "found a bin with 8 cells; expected at least 9 at 90 %"),
        (
            {"factors": [[0.7, 1.6], [1.7, 0.7], [1.1, 3.0]]},
            "found descending; expected wider intervals at higher levels",
        ),
        ({"factors": [[0.7, 1.6], [-0.7, 1.7], [1.1, 3.0]]}, "expected a number of at least 0"),
        ({"scale": {"kind": "variance"}}, "found 'variance'; expected 'deviation' or 'none'"),
        ({"scale": {"offset": 0.0}}, "found 0; expected a positive number, as errors are divided by it"),
    ],
)
def test_a_calibration_that_does_not_fit_together_is_refused(change: dict[str, Any], message: str) -> None:
    data = merge(CALIBRATION.model_dump(mode="json"), {"heights": {"height": change}})
    with pytest.raises(ConfigError) as error:
        parse_calibration(data, PLACE)
    assert message in str(error.value)
    assert str(error.value).startswith("calibration.yaml, key heights.height")


def test_a_calibration_of_another_format_is_refused() -> None:
    data = {**CALIBRATION.model_dump(mode="json"), "format": 3}
    with pytest.raises(DataError, match="found format 3, which a newer mtlaerial wrote; expected format 2"):
        parse_calibration(data, PLACE)


def test_a_calibration_of_an_earlier_format_is_to_be_made_again() -> None:
    heights = {**HEIGHTS.model_dump(mode="json"), "scale": "deviation", "floor": 0.05}
    data = {**CALIBRATION.model_dump(mode="json"), "format": 1, "heights": {"height": heights}}
    with pytest.raises(DataError, match=r"found format 1, which an older .* expected format 2, .*Calibrate the run"):
        parse_calibration(data, PLACE)


def test_notes_are_those_of_the_tiles_and_of_all_tasks() -> None:
    assert CALIBRATION.notes == ("The same tiles chose the weights.", *HEIGHTS.notes)
