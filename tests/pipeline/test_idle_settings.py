"""Options of the command ``score`` that change no score are named."""

from pathlib import Path

import pytest

from mtlaerial.errors import UserError
from mtlaerial.pipeline import score_runs
from mtlaerial.pipeline.idle_settings import idle_settings
from support.configurations import BASE

SETTINGS = {
    "training": {"epochs": 2},
    "prediction": {"window": 64},
    "scoring": {"error_unit": 2},
    "methods": {"equal": {"overrides": {"scoring": {"error_unit": 3}}}},
}


def test_settings_that_change_no_score_are_named() -> None:
    assert idle_settings(SETTINGS, None) == ["training.epochs", "prediction.window"]
    assert idle_settings(SETTINGS, "original") == ["training.epochs"]


def test_scoring_warns_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stopped(*arguments: object) -> None:
        raise UserError("here", "enough", "no more", "")

    monkeypatch.setattr(score_runs, "scored_runs", lambda *arguments: [])
    monkeypatch.setattr(score_runs, "_recipes", stopped)
    city = BASE.parent / "datasets/city.yaml"
    with pytest.raises(UserError, match="enough"):
        score_runs.score_runs([], city, tmp_path, tmp_path / "out", settings={"prediction": {"window": 64}})
    assert "--set prediction.window: no score depends on it" in caplog.text
