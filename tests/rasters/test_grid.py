"""Areas of cells."""

from pathlib import Path

import numpy as np
import pytest

from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid, area_weights
from support import tiny


def test_cells_of_one_size_have_weights_of_exactly_one() -> None:
    assert area_weights([0.25, 0.25 * (1 + 1e-9)]).tolist() == [1, 1]
    assert area_weights([1.0, 0.25]).tolist() == [4, 1]
    assert area_weights([]).tolist() == []


@pytest.mark.parametrize(("crs", "square_metres"), [("EPSG:32632", 0.25), ("EPSG:2225", 0.25 * (1200 / 3937) ** 2)])
def test_area_of_a_cell_is_in_square_metres(tmp_path: Path, crs: str, square_metres: float) -> None:
    path = tiny.write_raster(tmp_path / "a.tif", np.zeros((2, 2), np.uint8), 0.5, crs=crs)
    with open_raster(path) as source:
        assert Grid.of(source).cell_area == pytest.approx(square_metres)
