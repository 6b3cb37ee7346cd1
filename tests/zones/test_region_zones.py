"""Polygons, objects and check points of a region: those of one map, whatever its sheets are."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine

from mtlaerial.accuracy.map_values import heights_at
from mtlaerial.accuracy.sample import sample_points
from mtlaerial.config import PredictionSpec
from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.maps.map_folder import read_folder
from mtlaerial.objects.vectorise import vectorise
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.regions.index import index_sheets
from mtlaerial.regions.mapping_job import map_sheets
from mtlaerial.regions.planning import plan_region
from mtlaerial.zones.zonal_statistics import write_zonal_statistics
from support import tiny

SIZE = 150


@pytest.fixture(scope="module")
def regions(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the folders of a region of random pixels that was mapped as one sheet and as nine."""
    folder = tmp_path_factory.mktemp("regions")
    keys = {"window": 64, "stride": 48, "blend": "even"}
    predictor = Predictor(run_folder, PredictionSpec.parse(keys, "prediction"))
    pixels = np.random.default_rng(1).integers(1, 255, (3, SIZE // 10, SIZE // 10)).astype(np.uint8)
    gsd = predictor.description.statistics.gsd
    place = {"crs": "EPSG:32631", "transform": Affine(gsd, 0, 500_000, 0, -gsd, 5_200_000), "nodata": 0}
    image = tiny.write_raster(folder / "image.tif", np.kron(pixels, np.ones((1, 10, 10), np.uint8)), **place)
    folders = []
    for side in (512, 60):
        region, maps = plan_region([image], predictor.description, side), folder / f"maps{side}"
        map_sheets(predictor, region, region.sheets, maps / "jobs/0.json")
        index_sheets(region, maps, "a run")
        folders.append(maps)
    return folders


def test_the_index_names_classes_and_run_as_its_sheets_do(regions: list[Path]) -> None:
    of_sheet, of_region = read_folder(regions[1] / "sheets/r0000_c0000"), read_folder(regions[1])
    assert of_region.classes == of_sheet.classes
    of_all = {key: tag for key, tag in of_sheet.origin.items() if key != "IMAGE_ID"}
    assert of_region.origin == {**of_all, "IMAGE": "region of 9 sheets"}
    assert {"RUN", "RUN_ID"} <= of_all.keys()


def test_objects_of_the_index_are_those_of_one_map(regions: list[Path], tmp_path: Path) -> None:
    spec = ObjectsSpec(classes=read_folder(regions[0]).classes, min_area=0.0, min_hole=0.0)
    files = [tmp_path / f"{maps.name}.gpkg" for maps in regions]
    for maps, file in zip(regions, files, strict=True):
        vectorise([maps], file, spec)
    one, nine = map(gpd.read_file, files)
    assert len(one) > 1
    assert nine.to_wkb().equals(one.to_wkb())


def test_check_points_of_the_index_are_those_of_one_map(regions: list[Path], tmp_path: Path) -> None:
    files, heights = [tmp_path / f"{maps.name}_points.gpkg" for maps in regions], []
    for maps, file in zip(regions, files, strict=True):
        sample_points(maps, file, 50, None, {}, 2, seed=3)
        grid = read_folder(maps).grid
        heights.append(heights_at(maps, grid, *np.divmod(np.arange(0, SIZE * SIZE, 97), SIZE)))
    one, nine = map(gpd.read_file, files)
    assert len(one) == 50
    assert nine.equals(one)
    assert np.isfinite(heights[0]).any()
    np.testing.assert_array_equal(*heights)


def test_a_polygon_across_sheets_is_counted_once(regions: list[Path], tmp_path: Path) -> None:
    west, south, east, north = read_folder(regions[0]).grid.bounds
    middle = shapely.Point((west + east) / 2, (south + north) / 2)
    radii = np.linspace(0.05, 0.8, 6) * (east - west)
    gpd.GeoDataFrame(geometry=[middle.buffer(radius) for radius in radii], crs="EPSG:32631").to_file(
        tmp_path / "p.gpkg"
    )
    one, nine = (
        write_zonal_statistics(maps, tmp_path / "p.gpkg", [tmp_path / f"{maps.name}.gpkg"]) for maps in regions
    )
    assert len(nine) == len(radii)
    assert (nine["map_no_data"][:4] == 0).all()
    for name in one.columns.drop("geometry"):
        assert nine[name].to_numpy() == pytest.approx(one[name].to_numpy(), nan_ok=True)
