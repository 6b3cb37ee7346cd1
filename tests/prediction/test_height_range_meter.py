"""Heights far beyond the training's are told of, wherever maps are made."""

import logging
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mtlaerial.config import PredictionSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.prediction.blending.blender import Blender
from mtlaerial.prediction.blending.strips import Strip
from mtlaerial.prediction.blending.windows import even
from mtlaerial.prediction.height_range_meter import HeightRangeMeter, HeightRangeMeters
from mtlaerial.prediction.map_meters import MapMeters
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.regions.planning import plan_region
from mtlaerial.regions.sheet_maps import SheetMapper
from mtlaerial.tiles.statistics import HeightStatistics
from support.tiny import Folders

TRAINED = HeightStatistics(cells=9, mean=3, std=5, median=0, minimum=0, maximum=30)
ELSEWHERE = HeightStatistics(cells=9, mean=505, std=1, median=505, minimum=500, maximum=510)
WINDOW = PredictionSpec.parse({"window": 64, "stride": 48, "blend": "even", "activation": "softmax"}, "prediction")


def metered(heights: Tensor) -> HeightRangeMeter:
    """Return a meter that the engine has fed with heights, block by block; NaN is no image."""
    meter = HeightRangeMeter("height", slice(1, 2), TRAINED)
    blender = Blender(
        lambda windows: torch.cat([windows * 0, windows], dim=1), 2, even(64, 16, 32), 3, torch.device("cpu")
    )

    def read(row: int, column: int, height: int, width: int) -> Strip:
        values = heights[None, row : row + height, column : column + width]
        return Strip(values.nan_to_num(1e6), values[0].isnan())

    rows, columns = heights.shape
    list(blender.run(read, rows, columns, [], meter, context=MapMeters.CONTEXT))
    return meter


def test_pixels_beyond_half_the_range_are_counted_once() -> None:
    heights = torch.full((200, 150), 12.0)
    heights[10:60, 5:100] = torch.nan
    heights[100, 100], heights[150:153, 20], heights[199, 149] = -15.1, 46.0, 900.0
    heights[20:40, 120] = 44.9  # beyond the training's, and no sign of a fault
    meter = metered(heights)
    assert (meter.beyond, meter.pixels) == (5, 200 * 150 - 50 * 95)
    text = meter.warning(window=256, patch=128)
    assert "found -15.1 to 900.0 m, and 5 pixels (0.0198 %) below -15.0 or above 45.0 m" in text
    assert "expected about 0.0 to 30.0 m, as in the training" in text
    assert text.endswith("--window 128, in a configuration prediction.window.")
    assert "--window" not in meter.warning(window=128, patch=128)


def test_heights_like_those_of_the_training_are_not_told_of() -> None:
    assert metered(torch.linspace(-14, 44, 200 * 150).reshape(200, 150)).warning(256, 128) == ""
    assert metered(torch.full((70, 70), torch.nan)).warning(256, 128) == ""


def test_flat_land_has_a_margin_of_metres() -> None:
    flat = TRAINED.model_copy(update={"maximum": 0.0})
    assert (
        HeightRangeMeter("height", slice(0, 1), flat).least,
        HeightRangeMeter("height", slice(0, 1), flat).most,
    ) == (-5, 5)


def test_without_the_training_s_heights_nothing_is_told() -> None:
    assert list(HeightRangeMeters({"height": slice(0, 1)}, None).warnings(256, 128)) == []
    assert list(HeightRangeMeters({"semantics": slice(0, 5)}, TRAINED).warnings(256, 128)) == []


@pytest.fixture
def predictor(run_folder: Path) -> Predictor:
    """Return a run that says it was trained where all heights are above 500 m."""
    predictor = Predictor(run_folder, WINDOW)
    statistics = predictor.description.statistics.model_copy(update={"height": ELSEWHERE})
    predictor.description = predictor.description.model_copy(update={"statistics": statistics})
    return predictor


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "as in the training" in record.getMessage()]


def test_maps_of_images_and_of_tiles_are_told_of(
    predictor: Predictor, city: Dataset, tiles: Folders, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    image = city.files("image", "city_4")[0]
    predictor.predict_image(image, tmp_path / "maps")
    predictor.predict_tiles(tiles["test"][:1], tmp_path / "tiles")
    messages = warned(caplog)
    assert [message.split(": height: found")[0] for message in messages] == [
        str(image), str(tiles["test"][0] / "image.tif"),
    ]  # fmt: skip
    assert all("(100 %) below 495.0 or above 515.0 m" in message for message in messages)


def test_sheets_of_a_region_are_told_of(
    predictor: Predictor, city: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    region = plan_region([city.files("image", "city_4")[0]], predictor.description, 512)
    with caplog.at_level(logging.WARNING):
        assert SheetMapper(predictor, region, tmp_path).map(region.sheets) == []
    (message,) = warned(caplog)
    assert message.startswith("sheet r0000_c0000: height: found")
