"""The catalogue of a data set: the files of each tile, and the tile's window in them."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from affine import Affine
from shapely.geometry import box

from mtlaerial.config import load_dataset
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.tile_windows import image_window, layer_window
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.rasters.grid import Grid
from support import tiny


def dataset(root: Path, **changes: Any) -> Dataset:
    return Dataset("town", tiny.city_spec(**changes), root)


def mosaic(root: Path, **changes: Any) -> Dataset:
    tiny.write_raster(root / "image.tif", np.zeros((3, 50, 70), np.uint8))
    image = {"files": "image.tif"}
    return dataset(root, **{"image": image, **changes})


def test_the_first_accepted_spelling_that_exists_is_taken(tmp_path: Path) -> None:
    town = dataset(tmp_path, image={"files": ["a/{tile}.tif", "b/{tile}.tif", "c/{tile}.tif"]})
    assert town.files("image", "city_1") == (tmp_path / "a/city_1.tif",)
    for folder in "cb":
        tiny.write_raster(tmp_path / folder / "city_1.tif", np.zeros((3, 8, 8), np.uint8))
    assert town.files("image", "city_1") == (tmp_path / "b/city_1.tif",)


@pytest.mark.parametrize("spelling", ["My Images/of 2020", "MyImages/of_2020", "my_images/OF2020"])
def test_folders_may_be_spelled_otherwise(tmp_path: Path, spelling: str) -> None:
    before, after = (dataset(tmp_path, image={"files": "My Images/of 2020/{tile}.tif"}) for _ in range(2))
    assert before.files("image", "city_1") == (tmp_path / "My Images/of 2020/city_1.tif",)
    tiny.write_raster(tmp_path / spelling / "city_1.tif", np.zeros((3, 8, 8), np.uint8))
    assert after.files("image", "city_1") == (tmp_path / spelling / "city_1.tif",)


def test_the_exact_spelling_comes_first_and_tiles_have_no_other(tmp_path: Path) -> None:
    town = dataset(tmp_path, image={"files": "my images/{tile}/a.tif"})
    tiny.write_raster(tmp_path / "my_images" / "city1" / "a.tif", np.zeros((3, 8, 8), np.uint8))
    assert not town.files("image", "city_1")[0].exists()
    for folder in ("my_images", "my images"):
        tiny.write_raster(tmp_path / folder / "city_1" / "a.tif", np.zeros((3, 8, 8), np.uint8))
    assert town.files("image", "city_1") == (tmp_path / "my images/city_1/a.tif",)


def test_files_are_looked_for_in_every_folder(tmp_path: Path) -> None:
    town = dataset(tmp_path, folders=["all/in it", "."], image={"files": ["a/{tile}.tif", "b/{tile}.tif"]})
    names = ("city_1.tif", "city_1.TIF")
    expected = [
        tmp_path / folder / folder_of_pattern / name
        for folder_of_pattern in ("a", "b") for name in names for folder in ("all/in it", ".")
    ]  # fmt: skip
    assert town.candidates("image", "city_1") == (tuple(expected),)


def test_surface_and_ground_are_two_files(tmp_path: Path) -> None:
    town = dataset(tmp_path, height={"surface": "dsm.tif", "ground": "dtm/{tile}.tif"})
    assert town.files("height", "city_2") == (tmp_path / "dsm.tif", tmp_path / "dtm/city_2.tif")


def test_an_optional_layer_may_be_absent_and_only_where_it_is_optional(tmp_path: Path) -> None:
    town = dataset(tmp_path, height={"files": "height/{tile}.tif", "optional": ["test", "city_1"]})
    assert [bool(town.files("height", tile)) for tile in town.spec.tiles] == [False, True, True, False]
    missing = {(gap.layer, gap.tile) for gap in town.missing()}
    assert ("height", "city_2") in missing
    assert not {("height", "city_1"), ("height", "city_4")} & missing
    assert {("image", tile) for tile in town.spec.tiles} <= missing


def test_labels_may_have_a_file_for_each_split(tmp_path: Path) -> None:
    labels = tiny.city_spec().model_dump(mode="json")["labels"]
    files = {"train": "tr.tif", "val": "tr.tif", "test": ["te.tif", "other/te.tif"]}
    town = dataset(tmp_path, labels={**labels, "files": files})
    for tile, expected in (("city_1", ["tr.tif"]), ("city_4", ["te.tif", "other/te.tif"])):
        (paths,) = town.candidates("labels", tile)
        assert [path for path in paths if path.suffix == ".tif"] == [tmp_path / name for name in expected]


def test_nothing_is_missing_from_a_whole_data_set(city: Dataset) -> None:
    assert city.missing() == []
    assert city.tasks == ("semantics", "height")


def test_tasks_follow_from_layers(tmp_path: Path) -> None:
    assert dataset(tmp_path, height=None).tasks == ("semantics",)
    assert dataset(tmp_path, labels=None).tasks == ("height",)


@pytest.mark.parametrize(
    ("tile", "window", "bounds"),
    [
        ("r1c1", (0, 0, 32, 40), (0, 0, 20, 16)),
        ("r2c1", (32, 0, 18, 40), (0, 16, 20, 25)),
        ("r1c2", (0, 40, 32, 30), (20, 0, 35, 16)),
    ],
)
def test_tiles_of_a_grid_are_counted_from_the_north_west(
    tmp_path: Path, tile: str, window: tuple[int, int, int, int], bounds: tuple[float, ...]
) -> None:
    town = mosaic(tmp_path, grid={"size": [32, 40]}, splits={"train": ["r1c1", "r2c1"], "test": ["r1c2"]})
    _, row, column, grid = image_window(town, tile)
    assert (row, column, grid.height, grid.width) == window
    west, north_down, east, south_down = bounds
    expected = (tiny.WEST + west, tiny.NORTH - south_down, tiny.WEST + east, tiny.NORTH - north_down)
    assert grid.bounds == expected


@pytest.mark.parametrize(("tile", "error"), [("r3c1", DataError), ("r0c1", DataError), ("left", ConfigError)])
def test_a_tile_outside_the_grid_is_refused(tmp_path: Path, tile: str, error: type[Exception]) -> None:
    town = mosaic(tmp_path, grid={"size": [32, 40]}, splits={"train": [tile]})
    with pytest.raises(error, match=tile):
        image_window(town, tile)


def test_tiles_are_cut_by_footprints_in_another_crs(tmp_path: Path) -> None:
    west, north = tiny.WEST + 5, tiny.NORTH - 2.5
    frame = gpd.GeoDataFrame({"name": ["east"], "geometry": [box(west, north - 10, west + 15, north)]}, crs=tiny.UTM)
    frame.to_file(tmp_path / "tiles.gpkg")
    footprints = {"files": "tiles.gpkg", "column": "name"}
    town = mosaic(tmp_path, footprints=footprints, splits={"train": ["east", "west"]})
    _, row, column, grid = image_window(town, "east")
    assert (row, column, grid.height, grid.width) == (5, 10, 20, 30)
    with pytest.raises(DataError, match="expected the tile west"):
        image_window(town, "west")
    frame.to_crs(4326).to_file(tmp_path / "tiles.gpkg")
    _, row, column, grid = image_window(Dataset("again", town.spec, tmp_path), "east")
    assert (row, column, grid.height, grid.width) == (5, 10, 20, 30)


def test_a_footprint_of_a_repeated_name_is_refused(tmp_path: Path) -> None:
    places = [(0, 0), (5, 5), (0, 0)]
    boxes = [box(tiny.WEST + x, tiny.NORTH - 10 - y, tiny.WEST + x + 10, tiny.NORTH - y) for x, y in places]
    frame = gpd.GeoDataFrame({"tile": ["a", "b", "a"]}, geometry=boxes, crs=tiny.UTM)
    frame.to_file(tmp_path / "tiles.gpkg")
    town = mosaic(tmp_path, footprints={"files": "tiles.gpkg"}, splits={"train": ["a", "b"]})
    with pytest.raises(DataError, match=r"tiles\.gpkg: found 2 features whose tile is a; expected one for each tile"):
        image_window(town, "a")
    assert image_window(town, "b")[1:3] == (10, 10)


def test_a_footprint_without_a_polygon_is_refused(tmp_path: Path) -> None:
    place = box(tiny.WEST, tiny.NORTH - 10, tiny.WEST + 10, tiny.NORTH)
    frame = gpd.GeoDataFrame({"tile": ["a", "b"]}, geometry=[place, None], crs=tiny.UTM)
    frame.to_file(tmp_path / "tiles.gpkg")
    town = mosaic(tmp_path, footprints={"files": "tiles.gpkg"}, splits={"train": ["a", "b"]})
    with pytest.raises(DataError, match=r"found no polygon of b; expected a polygon for each tile"):
        image_window(town, "a")


def test_footprints_say_what_they_lack(tmp_path: Path) -> None:
    town = mosaic(tmp_path, footprints={"files": "tiles.gpkg"}, splits={"train": ["a"]})
    with pytest.raises(DataError, match=r"tiles\.gpkg: found no file"):
        image_window(town, "a")
    assert town.missing()[-1].layer == "footprints"
    gpd.GeoDataFrame({"id": ["a"], "geometry": [box(0, 0, 1, 1)]}, crs=tiny.UTM).to_file(tmp_path / "tiles.gpkg")
    with pytest.raises(DataError, match="found the columns id, geometry; expected a column tile"):
        image_window(town, "a")


def test_an_image_without_georeference_gets_pixels_of_the_stated_size(tmp_path: Path) -> None:
    tiny.write_raster(tmp_path / "images/city_1.tif", np.zeros((3, 20, 30), np.uint8), pixel=0)
    _, _, _, grid = image_window(dataset(tmp_path, gsd=0.25), "city_1")
    assert grid.pixel_size == (0.25, 0.25)
    assert grid.crs == tiny.UTM


def test_a_layer_without_georeference_covers_its_image(tmp_path: Path) -> None:
    image = Grid(tiny.UTM, Affine(0.5, 0, tiny.WEST, 0, -0.5, tiny.NORTH), 20, 30)
    path = tiny.write_raster(tmp_path / "height.tif", np.zeros((10, 15), np.float32), pixel=0)
    row, column, grid = layer_window(path, image)
    assert (row, column) == (0, 0)
    assert grid.bounds == image.bounds
    assert grid.pixel_size == (1.0, 1.0)


def test_a_mosaic_layer_is_cut_where_it_covers_the_tile(tmp_path: Path) -> None:
    image = Grid(tiny.UTM, Affine(0.5, 0, tiny.WEST + 11, 0, -0.5, tiny.NORTH - 7), 20, 30)
    path = tiny.write_raster(tmp_path / "dsm.tif", np.zeros((40, 40), np.float32), pixel=2)
    row, column, grid = layer_window(path, image)
    assert (row, column, grid.height, grid.width) == (3, 5, 6, 8)
    assert grid.bounds == (tiny.WEST + 10, tiny.NORTH - 18, tiny.WEST + 26, tiny.NORTH - 6)


@pytest.mark.parametrize(
    ("name", "tile", "image", "height", "labels"),
    [
        (
            "dfc2018",
            "UH_NAD83_271460_3290290",
            "2018IEEE_Contest/Phase2/Final RGB HR Imagery/UH_NAD83_271460_3290290.tif",
            (
                "2018IEEE_Contest/Phase2/Lidar GeoTiff Rasters/DSM_C12/UH17c_GEF051.tif",
                "2018IEEE_Contest/Phase2/Lidar GeoTiff Rasters/DEM_C123_TLI/UH17_GEG05.tif",
            ),
            (),
        ),
        (
            "vaihingen",
            "area7",
            "top/top_mosaic_09cm_area7.tif",
            ("nDSM/dsm_09cm_matching_area7_normalized.jpg",),
            ("gts/top_mosaic_09cm_area7.tif",),
        ),
    ],
)
def test_the_public_data_sets_are_looked_for_where_their_downloads_are(
    tmp_path: Path, name: str, tile: str, image: str, height: tuple[str, ...], labels: tuple[str, ...]
) -> None:
    public = Dataset(name, load_dataset(tiny.CONFIG / "datasets" / f"{name}.yaml"), tmp_path)
    assert public.files("image", tile) == (tmp_path / image,)
    assert public.files("height", tile) == tuple(tmp_path / path for path in height)
    assert public.files("labels", tile) == tuple(tmp_path / path for path in labels)
    assert public.tasks == ("semantics", "height")


def test_the_public_data_sets_have_the_published_splits() -> None:
    specs = [load_dataset(tiny.CONFIG / "datasets" / f"{name}.yaml") for name in ("dfc2018", "vaihingen")]
    assert [(len(spec.splits["train"]), len(spec.splits["test"])) for spec in specs] == [(4, 10), (16, 17)]
    assert [len(spec.labels.classes) for spec in specs if spec.labels] == [20, 6]


def test_a_name_tells_a_tiles_corner(tmp_path: Path) -> None:
    image = {"files": "{tile}.tif", "corner": "H_{west}_{south}"}
    town = dataset(tmp_path, image=image, splits={"train": ["H_-60_3289689", "H_60"]})
    assert town.corner("H_-60_3289689") == (-60.0, 3289689.0)
    with pytest.raises(ConfigError, match=r"the tile H_60; expected names like H_\{west\}_\{south\}"):
        town.corner("H_60")
    assert dataset(tmp_path).corner("city_1") is None


def test_a_corner_needs_both_coordinates() -> None:
    with pytest.raises(
        ConfigError, match=r"image\.corner: found .*; expected a pattern with \{west\} and \{south\}, each once"
    ):
        tiny.city_spec(image={"files": "{tile}.tif", "corner": "H_{west}_{west}"})
