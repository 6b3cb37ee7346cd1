"""Comparison of runs by hillshades and checkerboard ratios."""

import sys
from importlib import import_module
from pathlib import Path

import pytest
from PIL import Image

from support.tiny import Folders

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.full("two predictions and a figure")
def test_runs_are_compared_at_the_resolution_of_the_image(
    run_folder: Path,
    tiles: Folders,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    hillshades = import_module("hillshades")
    out, tile = tmp_path / "hillshades.png", tiles["test"][0]
    monkeypatch.setattr(sys, "argv", ["hillshades.py", "--tile", str(tile), "--out", str(out), f"d3net={run_folder}"])
    hillshades.main()
    # A small tile: too few segments for any ratio.
    assert "| d3net | – | – | – | – | – |" in capsys.readouterr().out
    with Image.open(out) as picture:
        assert "true height and d3net as hillshades" in picture.info["Description"]
    monkeypatch.setattr(sys, "argv", ["hillshades.py", "--tile", str(tile), "--out", str(out), str(run_folder)])
    with pytest.raises(SystemExit):
        hillshades.main()
    assert "expected NAME=RUN" in capsys.readouterr().err
