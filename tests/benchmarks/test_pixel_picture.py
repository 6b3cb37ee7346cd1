"""The picture of one pixel's way: drawn from the library's own windows and maps, which must agree."""

import sys
from importlib import import_module
from pathlib import Path

import pytest
from PIL import Image

from support.tiny import Folders

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.full("two predictions and a figure")
def test_the_windows_of_a_pixel_give_the_map(
    run_folder: Path, tiles: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    picture = import_module("pixel_picture")
    out = tmp_path / "pixel.webp"
    arguments = ["--tile", str(tiles["test"][0]), "--run", str(run_folder), "--pixel", "40", "51", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["pixel_picture.py", *arguments])
    picture.main()
    with Image.open(out) as drawn:
        assert drawn.width > 4 * drawn.height

    monkeypatch.setattr(picture, "blended", lambda values, seen: max(values) + 1)
    with pytest.raises(AssertionError):
        picture.main()
