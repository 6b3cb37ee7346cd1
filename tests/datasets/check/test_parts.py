"""A clean data set gives no finding; a file that is missing or cannot be read gives one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtlaerial.datasets.check import DatasetReport, TileReport, check_dataset
from mtlaerial.errors import DataError
from mtlaerial.pipeline.missing_files import missing_text
from mtlaerial.rasters.geotiff import open_raster
from support.town import NORTH, SIZE, WEST, Town, only


def test_clean(town: Town) -> None:
    report = check_dataset(town.dataset)
    assert report.findings == ()
    assert report.ok
    image, height, labels = report.tiles[0].image, report.tiles[0].height, report.tiles[0].labels
    assert image
    assert (image.size, image.gsd, image.crs, image.dtype, image.bands) == ((64, 64), 0.5, "EPSG:32632", "uint8", 3)
    assert image.bounds == (WEST, NORTH - 32, WEST + 32, NORTH)
    assert height
    assert (height.present, height.size, height.nodata, height.minimum) == (True, (32, 32), 0.0, 0.0)
    assert labels
    assert sum(labels.classes.values()) == SIZE**2
    assert set(labels.classes) == {"road", "house", "grass"}


def test_json_round_trip(town: Town) -> None:
    town.write("labels", "a", np.full((SIZE, SIZE), 7, dtype=np.uint8))
    report = check_dataset(town.dataset)
    assert TileReport.model_validate_json(report.tiles[0].model_dump_json()) == report.tiles[0]
    assert DatasetReport.model_validate_json(report.model_dump_json()) == report


def test_bugs_are_not_swallowed(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("mtlaerial.datasets.check.labels.decode_labels", broken)
    with pytest.raises(ZeroDivisionError):
        town.check()


@pytest.mark.parametrize("layer", ["image", "height", "labels"])
def test_missing(town: Town, layer: str) -> None:
    path = town.root / layer / "a.tif"
    path.unlink()
    only(
        "error",
        path,
        town.check(),
        "no file",
        "Ask the town hall.",
        "image/{tile}.png" if layer == "image" else f"in {layer}.optional.",
    )


@pytest.mark.parametrize(("layer", "task"), [("height", "height"), ("labels", "semantics")])
def test_optional(town: Town, layer: str, task: str) -> None:
    town.change(**{layer: {"optional": ["a"]}})
    path = town.root / layer / "a.tif"
    path.unlink()
    report = town.check()
    only("warning", path, report, f"task {task} is neither trained nor scored")
    facts = getattr(report, layer)
    assert not facts.present


@pytest.mark.parametrize("layer", ["image", "height", "labels"])
def test_unreadable(town: Town, layer: str) -> None:
    path = town.root / layer / "a.tif"
    path.write_text("not found: 404")
    only("error", path, town.check(), "beginning with 'not found: 4'", "a GeoTIFF")


@pytest.mark.parametrize("layer", ["image", "height", "labels"])
def test_truncated(town: Town, layer: str) -> None:
    path = town.root / layer / "a.tif"
    path.write_bytes(path.read_bytes()[:-500])
    only("error", path, town.check(), "readable pixels")


@pytest.mark.parametrize("layer", ["image", "height", "labels"])
def test_directory(town: Town, layer: str) -> None:
    path = town.root / layer / "a.tif"
    path.unlink()
    path.mkdir()
    only("error", path, town.check(), "a directory")


def test_a_broken_link_is_named_with_its_target(town: Town) -> None:
    path = town.root / "image" / "a.tif"
    path.unlink()
    path.symlink_to("/archive/orthophotos/a.tif")
    link = "a symbolic link to /archive/orthophotos/a.tif, where nothing is"
    (finding,) = town.check().findings
    assert finding.found == link
    with pytest.raises(DataError, match=f"a.tif: found {link}"), open_raster(path):
        pass
    assert f"{path} (found {link})" in missing_text(town.dataset, town.dataset.missing())


def test_a_root_that_is_a_broken_link_is_named_with_its_target(town: Town, tmp_path: Path) -> None:
    root = tmp_path / "link"
    root.symlink_to("/archive")
    with pytest.raises(DataError, match="link: found a symbolic link to /archive, where nothing is"):
        replace(town.dataset, root=root).require_root()
