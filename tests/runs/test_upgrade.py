"""Runs of the first format, and their conversion."""

import sys
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.cli import main
from mtlaerial.errors import DataError
from mtlaerial.runs.loading import load_run
from mtlaerial.runs.run import load_description
from mtlaerial.runs.upgrade import upgrade_run
from support.described_runs import CPU, change_description


def test_a_run_of_the_first_format_names_the_command_that_converts_it(
    saved: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_description(saved)
    as_first_format(saved)
    with pytest.raises(DataError, match="format 1, which an older mtlaerial wrote") as refused:
        load_run(saved, CPU)
    command = refused.value.remedy.removeprefix("Convert it with: ")
    monkeypatch.setattr(sys, "argv", command.split())
    with pytest.raises(SystemExit, match="0"):
        main()
    assert "Converted" in capsys.readouterr().out
    unmeasured = before.statistics.model_copy(update={"without_image": None})
    assert load_description(saved) == before.model_copy(update={"statistics": unmeasured})
    assert upgrade_run(saved) is False


def test_a_run_of_the_first_format_with_weights_of_another_is_not_converted(saved: Path) -> None:
    as_first_format(saved)
    change_description(saved, lambda run: run.update(epoch=1))
    with pytest.raises(DataError, match=r"model\.safetensors: found epoch 2; expected 1, as .*run\.yaml says"):
        upgrade_run(saved)


def as_first_format(folder: Path) -> None:
    """Take from a description what its first format did not have."""

    def change(run: dict[str, Any]) -> None:
        for key in ("format", "sha256", "identity"):
            del run[key]
        del run["plan"]["prediction"]
        for key in ("nodata", "without_image"):
            del run["statistics"][key]
        for band in run["statistics"]["bands"]:
            del band["index"]

    change_description(folder, change)
