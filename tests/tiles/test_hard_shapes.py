"""Preparation of data sets with the shapes of hard real ones: see :mod:`support.hard_shapes`."""

import numpy as np
import pytest
import rasterio

from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check import check_dataset, summary
from mtlaerial.tiles.prepare import prepare_tile
from support.hard_shapes import HARD_SETS, HardSet, Shape, classes, heights


@pytest.mark.parametrize("hard", HARD_SETS, ids=lambda hard: hard.name)
def test_hard_shapes_are_checked_and_prepared_on_their_own_grids(hard: HardSet, tmp_path) -> None:
    spec = tmp_path / f"{hard.name}.yaml"
    hard.write(tmp_path / "files", spec)
    dataset = Dataset.of(spec, tmp_path / "files")
    report = check_dataset(dataset)
    assert report.ok, summary(report)
    for number, (tile, (crs, west, north)) in enumerate(hard.tiles.items()):
        prepare_tile(dataset, tile, tmp_path / tile)
        for layer, shape in hard.shapes(number).items():
            with rasterio.open(tmp_path / tile / f"{layer}.tif") as source:
                assert source.crs == crs
                assert source.res == pytest.approx((shape.gsd, shape.gsd))
                values, valid = source.read(1), source.dataset_mask() > 0
                rows, columns = values.shape
                # Prepared cells are those of the file, of which there may be some more at the edges of the image.
                east, south = source.transform.c - west, north - source.transform.f
                cells = Shape(shape.gsd, rows, columns, east, south)
            assert valid.mean() > 0.9
            if layer != "image":
                truth = heights(number, cells) if layer == "height" else classes(number, cells)
                np.testing.assert_array_equal(values[valid], truth[valid])
