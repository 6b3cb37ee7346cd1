"""Cost of a prediction: seconds by pixels of the image, and memory."""

from pathlib import Path

import pytest

from mtlaerial.config import PredictionSpec
from mtlaerial.prediction import cost_meter
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.small_runs import drawn_run
from support.tiny import Folders


def test_time_is_by_the_pixels_of_all_images(
    statistics: Statistics, tiles: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 103.0, 200.0, 204.0])
    monkeypatch.setattr(cost_meter, "perf_counter", lambda: next(clock))
    run = drawn_run(tmp_path / "run", tiny.run_plan(("height",)), statistics)
    predictor = Predictor(run, PredictionSpec.parse({"window": 64, "stride": 48}, "prediction"))
    first = predictor.predict_tiles(tiles["test"], tmp_path / "maps")
    assert (first.seconds, first.mpixel) == (3.0, 96 * 96 / 1e6)
    both = predictor.predict_image(tiles["test"][0] / "image.tif", tmp_path / "image")
    assert both.seconds_per_mpixel == pytest.approx(7 / (2 * 96 * 96 / 1e6))
    assert both.device.startswith("CPU")


def test_memory_is_known_where_the_process_has_not_held_more_before(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    peaks = iter([500.0, 800.0, 800.0, 800.0])
    monkeypatch.setattr(cost_meter, "peak_process_memory_mb", lambda: next(peaks))
    monkeypatch.setattr(cost_meter, "process_memory_mb", lambda: 450)
    for expected in (350.0, None):
        meter = cost_meter.PredictionMeter(torch.device("cpu"))
        with meter.predicting(10):
            pass
        assert meter.cost().peak_memory_mb == expected
