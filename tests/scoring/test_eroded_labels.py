"""Scores on eroded labels."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from mtlaerial.config import IGNORED
from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import PREPARED, create_raster, open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.scoring.metrics import confusion_matrix
from mtlaerial.scoring.run_scores import score_run
from mtlaerial.tiles.record import write_record
from support.scored_maps import SCORING, Run, truth


def with_eroded(tile: Path, folder: Path, eroded: np.ndarray) -> Path:
    """Copy a prepared tile, with other eroded labels."""
    copy = Path(shutil.copytree(tile, folder / tile.name))
    with open_raster(tile / "labels.tif") as source:
        grid = Grid.of(source)
    with create_raster(
        copy / "eroded.tif", Grid(grid.crs, grid.transform, *eroded.shape), count=1, dtype="uint8", **PREPARED
    ) as out:
        out.write(eroded, 1)
    write_record(copy, {}, {})
    return copy


def test_eroded_labels_are_scored_apart(run: Run, chosen: list[Path], tmp_path: Path) -> None:
    labels = truth(chosen[0], "labels")
    eroded = np.where(np.arange(96) % 3 == 0, IGNORED, labels)
    tile = with_eroded(chosen[0], tmp_path / "tiles", eroded)
    scores = score_run(run.folder, [tile], SCORING)
    predicted = truth(run.folder / "maps" / tile.name, "semantics")
    np.testing.assert_array_equal(scores.confusion("eroded"), confusion_matrix(eroded, predicted, 6))
    np.testing.assert_array_equal(scores.confusion(), confusion_matrix(labels, predicted, 6))
    assert scores.tiles[tile.name].height == score_run(run.folder, chosen[:1], SCORING).tiles[tile.name].height


def test_no_eroded_labels_no_eroded_scores(run: Run, chosen: list[Path], tmp_path: Path) -> None:
    tile = with_eroded(chosen[0], tmp_path / "tiles", np.full((1, 1), IGNORED, np.uint8))
    scores = score_run(run.folder, [tile], SCORING)
    assert scores.tiles[tile.name].eroded == ()
    assert scores.confusion("eroded").sum() == 0
    assert scores.confusion().sum() > 0


def test_eroded_labels_of_another_size_are_refused(run: Run, chosen: list[Path], tmp_path: Path) -> None:
    tile = with_eroded(chosen[0], tmp_path / "tiles", np.zeros((48, 96), np.uint8))
    with pytest.raises(DataError, match=r"eroded\.tif: found 48 x 96 cells; expected 96 x 96 cells, as labels\.tif"):
        score_run(run.folder, [tile], SCORING)
