"""Settings of a prediction: those of the run, unless options state others."""

from pathlib import Path

import pytest

from mtlaerial.config import PredictionSpec
from mtlaerial.errors import ConfigError
from mtlaerial.prediction.settings import prediction_for


def test_options_that_change_the_prediction_are_logged_with_both_values(
    run_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert prediction_for(run_folder) == PredictionSpec()
    assert not caplog.records
    prediction_for(run_folder, blend="even")
    assert "blend even instead of original, window 1280 instead of 1024" in caplog.text


def test_windows_are_the_runs_unless_they_are_stated(run_folder: Path) -> None:
    assert prediction_for(run_folder, 512).stride == 128
    default = prediction_for(run_folder, blend="even")
    assert (default.blend, default.window, default.stride) == ("even", 1280, 1184)
    chosen = prediction_for(run_folder, 128, 32, blend="even")
    assert (chosen.window, chosen.stride) == (128, 32)
    assert prediction_for(run_folder, 640, blend="even").stride == 592
    with pytest.raises(ConfigError, match="--window: found 100; expected a multiple of 32"):
        prediction_for(run_folder, 100, None)
    with pytest.raises(ConfigError, match="a stride of at most the window"):
        prediction_for(run_folder, 64, 65)
