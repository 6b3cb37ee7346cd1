"""A region as the workflow maps it is shown as one map."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.warp import transform

from mtlaerial.maps.layer import Palette
from mtlaerial.viewer.catalog import read_catalog
from mtlaerial.viewer.tiles import draw_tile
from mtlaerial.viewer.values import values_at
from support.map_region import MapRegion


@pytest.mark.full("maps a region by an untrained run")
def test_a_mapped_region_is_one_map_with_the_values_of_its_sheets(tmp_path: Path) -> None:
    region = MapRegion(tmp_path / "region")
    process = region.start()
    process.join()
    assert process.exitcode == 0, (region.folder / "log").read_text()
    catalog = read_catalog(region.maps)
    assert catalog.notes == []
    assert {layer.title: len(layer.sources) for layer in catalog.layers.values()} == {
        "Classes": 1,
        "Height above ground": 1,
    }
    assert list(catalog.places) == ["map"]
    classes = catalog.layers["layer0"]
    assert isinstance(classes.appearance.style, Palette)
    assert draw_tile(classes, 1, classes.bounds)
    sheets = sorted(region.maps.glob("sheets/*/height.tif"))
    assert len(sheets) > 4
    for path in np.random.default_rng(1).permutation(sheets)[:4]:
        with rasterio.open(path) as sheet:
            stored = sheet.read(1)
            x, y = sheet.transform @ (10.5, 20.5)
            longitudes, latitudes = transform(sheet.crs, "EPSG:4326", [x], [y])
        values = {each["title"]: each for each in values_at(catalog.layers.values(), longitudes[0], latitudes[0])}
        assert values["Height above ground"]["values"][0]["value"] == pytest.approx(stored[20, 10] / 100)
