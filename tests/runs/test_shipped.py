"""Runs that come with the package: found by name, and never written to."""

import logging
from pathlib import Path

import numpy as np
import pytest
import rasterio
from typer.testing import CliRunner

from mtlaerial.cli import app
from mtlaerial.errors import UserError
from mtlaerial.runs import shipped
from mtlaerial.runs.run import load_description
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.small_runs import drawn_run


@pytest.fixture
def town(tmp_path: Path, statistics: Statistics, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a run that stands for the shipped one; the working directory is an empty one."""
    monkeypatch.setattr(shipped, "_FOLDER", tmp_path / "package")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return drawn_run(tmp_path / "package" / "town", tiny.run_plan(), statistics)


def test_the_name_stands_for_the_run_where_no_folder_has_it(town: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    result = CliRunner().invoke(app, ["describe", "town"])
    assert result.exit_code == 0
    assert load_description(town).sha256[:12] in result.output
    assert "town: the run that mtlaerial ships" in caplog.text
    Path("town").mkdir()
    assert shipped.find_run(Path("town")) == Path("town")
    assert "town: the folder here, not the run of that name that mtlaerial ships" in caplog.text


@pytest.mark.parametrize("command", [["export", "town"], ["score", "town", "city.yaml", "--root", "."]])
def test_results_of_a_shipped_run_need_a_place(town: Path, command: list[str]) -> None:
    files = sorted(town.iterdir())
    with pytest.raises(UserError, match="--out: found nothing; expected a place for the results of town"):
        CliRunner().invoke(app, command, catch_exceptions=False)
    assert sorted(town.iterdir()) == files


def test_the_shipped_run_maps_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one in the package, which `make example-run` writes: a grey roof that casts a shadow on a lawn."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    image = np.empty((3, 96, 128), np.uint8)
    image[:] = np.array([110, 125, 80])[:, None, None] + random.integers(-12, 12, image.shape)
    image[:, 20:60, 30:80] = 190 + random.integers(-8, 8, (3, 40, 50))
    image[:, 60:72, 30:80] = 35
    tiny.write_raster(Path("ortho.tif"), image, pixel=0.3)
    result = CliRunner().invoke(app, ["predict", "town", "ortho.tif", "--out", "maps"], catch_exceptions=False)
    assert result.exit_code == 0
    with rasterio.open("maps/semantics.tif") as semantics, rasterio.open("maps/height.tif") as height:
        classes, metres = semantics.read(1), height.read(1, masked=True)
    assert classes.shape == metres.shape == image.shape[1:]
    assert classes.max() < 5
    assert not metres.mask.any()
    description = load_description(shipped.shipped_run("town"))
    assert description.start
    assert (description.statistics.licence, description.start.licence) == ("CC BY 4.0", "Apache-2.0")


def test_a_misspelt_name_is_answered_with_the_right_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["describe", "twon"])
    assert isinstance(result.exception, UserError)
    assert str(result.exception).endswith("Did you mean town?")
