"""Labels that are drawn as polygons: codes on the grid of an image."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import yaml
from rasterio.transform import from_origin
from shapely.geometry import LineString, box

from mtlaerial.config.layers import LabelsSpec
from mtlaerial.datasets.polygon_labels import RasterisedLabels, rasterise_labels
from mtlaerial.errors import DataError

WEST, NORTH, ROWS, COLUMNS = 500_000.0, 5_000_000.0, 600, 40
"""Place and size of the image, in metres and pixels of a metre; more rows than a block has."""
CRS = "EPSG:32632"


def at(row: int, column: int, height: int, width: int) -> Any:
    """Return a rectangle of pixels as a polygon."""
    return box(WEST + column, NORTH - row - height, WEST + column + width, NORTH - row)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "ortho.tif"
    profile = {"driver": "GTiff", "height": ROWS, "width": COLUMNS, "count": 1, "dtype": "uint8", "crs": CRS}
    with rasterio.open(path, "w", transform=from_origin(WEST, NORTH, 1, 1), **profile) as target:
        target.write(np.ones((1, ROWS, COLUMNS), np.uint8))
    return path


def save(folder: Path, shapes: list[Any], crs: str | None = CRS, **columns: list[Any]) -> Path:
    path = folder / "labels.gpkg"
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)
    frame = frame.to_crs(crs) if crs else frame.set_crs(None, allow_override=True)
    frame.to_file(path)
    return path


def rasterised(image: Path, polygons: Path, column: str = "class") -> tuple[RasterisedLabels, np.ndarray]:
    out = image.with_name("labels.tif")
    labels = rasterise_labels(polygons, image, column, out)
    with rasterio.open(out) as source:
        assert source.transform == from_origin(WEST, NORTH, 1, 1)
        assert source.crs == CRS
        assert source.nodata == 0
        return labels, source.read(1)


@pytest.mark.parametrize("crs", [CRS, "EPSG:4326"])
def test_names_get_codes_in_alphabetical_order_on_the_pixels_of_the_image(
    crs: str, image: Path, tmp_path: Path
) -> None:
    shapes = [at(10, 5, 20, 10), at(500, 0, 50, 40)]  # the second one lies across two blocks
    labels, values = rasterised(image, save(tmp_path, shapes, crs, **{"class": ["tree", "building"]}))
    expected = np.zeros((ROWS, COLUMNS), np.uint8)
    expected[10:30, 5:15], expected[500:550] = 2, 1
    np.testing.assert_array_equal(values, expected)
    assert labels.codes == {"building": 1, "tree": 2}
    assert labels.pixels == {"building": 2000, "tree": 200}
    assert (labels.unlabelled, labels.ambiguous) == (ROWS * COLUMNS - 2200, 0)


def test_numbers_are_the_codes(image: Path, tmp_path: Path) -> None:
    labels, values = rasterised(image, save(tmp_path, [at(0, 0, 1, 1), at(1, 0, 1, 1)], code=[7.0, 255.0]), "code")
    assert values[:3, 0].tolist() == [7, 255, 0]
    assert labels.codes == {"class 7": 7, "class 255": 255}


def test_of_overlapping_polygons_the_last_counts_and_the_pixels_of_several_classes_are_told(
    image: Path, tmp_path: Path
) -> None:
    shapes = [at(0, 0, 4, 4), at(2, 2, 4, 4), at(3, 3, 4, 4)]
    labels, values = rasterised(image, save(tmp_path, shapes, **{"class": ["a", "b", "b"]}))
    assert values[2, 2] == 2
    assert labels.ambiguous == 4


def test_the_section_of_the_specification_is_accepted_and_has_the_codes(image: Path, tmp_path: Path) -> None:
    names = ['Straße: "Süd"', "bäume"]
    labels, _ = rasterised(image, save(tmp_path, [at(0, 0, 4, 4), at(9, 0, 4, 4)], **{"class": names}))
    section = yaml.safe_load(labels.section(Path("labels.tif")))["labels"]
    spec = LabelsSpec.model_validate(section)
    assert {each.name: each.values for each in spec.classes} == {name: (code,) for name, code in labels.codes.items()}
    assert labels.codes["bäume"] == 1  # whatever the case
    assert section["files"] == "labels.tif"
    assert section["ignore"] == [0]
    assert len({each["colour"] for each in section["classes"]}) == 2


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"klass": ["a"]}, r"labels.gpkg: found the columns klass; expected a column class"),
        ({"class": [None]}, r"found 1 features whose class is empty; expected a class for each"),
        ({"class": [" "]}, r"found 1 features whose class is empty; expected a class for each"),
        ({"class": [0]}, r"found 0 in class; expected names, or whole numbers from 1 to 255"),
        ({"class": [256]}, r"found 256 in class; expected names, or whole numbers"),
        ({"class": [1.5]}, r"found 1\.5 in class; expected names, or whole numbers"),
    ],
)
def test_a_column_without_classes_is_refused(
    columns: dict[str, list[Any]], message: str, image: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        rasterised(image, save(tmp_path, [at(0, 0, 4, 4)], **columns))
    assert not image.with_name("labels.tif").exists()


@pytest.mark.parametrize(
    ("shape", "crs", "message"),
    [
        (LineString([(WEST, NORTH), (WEST + 5, NORTH - 5)]), CRS, "found features of type LineString; expected poly"),
        (None, CRS, "found features without a geometry; expected polygons alone"),
        (at(0, 0, 4, 4), None, "found no CRS; expected polygons with a CRS"),
        (at(10 * ROWS, 0, 4, 4), CRS, f"found no polygon on .*{re.escape('ortho.tif')}; expected polygons of the same"),
    ],
)
def test_features_that_have_no_place_on_the_image_are_refused(
    shape: Any, crs: str | None, message: str, image: Path, tmp_path: Path
) -> None:
    others = [at(0, 0, 4, 4)] if shape is None else []
    polygons = save(tmp_path, [shape, *others], crs, **{"class": ["a"] * (1 + len(others))})
    with pytest.raises(DataError, match=message):
        rasterised(image, polygons)


@pytest.fixture
def tiles(image: Path, tmp_path: Path) -> Path:
    """Make a folder of three tiles, the upper, middle and lower thirds of the image, beside files that are none."""
    folder = tmp_path / "tiles"
    folder.mkdir()
    with rasterio.open(image) as source:
        for name, row in (("a", 0), ("b", 200), ("c", 400)):
            profile = source.profile | {"height": 200, "transform": from_origin(WEST, NORTH - row, 1, 1)}
            with rasterio.open(folder / f"{name}.TIF", "w", **profile) as target:
                target.write(np.ones((1, 200, COLUMNS), np.uint8))
    for name in ("notes.txt", "._a.tif", "all.vrt"):
        (folder / name).write_text("no image")
    return folder


def test_a_folder_of_tiles_has_the_labels_of_the_whole_image(image: Path, tiles: Path, tmp_path: Path) -> None:
    shapes = [at(10, 5, 20, 10), at(190, 0, 20, 40)]  # the second one lies across two tiles
    polygons = save(tmp_path, shapes, "EPSG:4326", **{"class": ["tree", "building"]})
    whole, values = rasterised(image, polygons)
    labels = rasterise_labels(polygons, tiles, "class", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.tif", "b.tif", "c.tif"]
    parts = [rasterio.open(tmp_path / f"out/{name}.tif").read(1) for name in "abc"]
    np.testing.assert_array_equal(np.vstack(parts), values)
    assert (labels.codes, labels.pixels, labels.unlabelled) == (whole.codes, whole.pixels, whole.unlabelled)
    assert (labels.images, labels.empty) == (3, ("c.TIF",))


def test_nothing_is_written_where_a_file_of_a_folder_exists(tiles: Path, tmp_path: Path) -> None:
    polygons, out = save(tmp_path, [at(0, 0, 4, 4)], **{"class": ["a"]}), tmp_path / "out"
    out.mkdir()
    (out / "b.tif").write_text("mine")
    with pytest.raises(DataError, match=r"b\.tif: found a file; expected none"):
        rasterise_labels(polygons, tiles, "class", out)
    assert [path.name for path in out.iterdir()] == ["b.tif"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "a.png").touch(), r"found a\.TIF and a\.png; expected images of different names"),
        (
            lambda folder: [path.unlink() for path in folder.glob("*.TIF")],
            r"tiles: found no image; expected files such",
        ),
        (lambda folder: (folder.parent / "out").touch(), r"out: found a file; expected a folder"),
        (lambda folder: (folder.parent / "out").symlink_to(folder), None),
    ],
)
def test_folders_that_cannot_be_rasterised_are_refused(
    change: Callable[[Path], object], message: str | None, tiles: Path, tmp_path: Path
) -> None:
    polygons = save(tmp_path, [at(0, 0, 4, 4)], **{"class": ["a"]})
    if message is None:
        for path in tiles.glob("*.TIF"):
            path.rename(path.with_suffix(".tif"))
        message = r"a\.tif: found a file that is read; expected another file"
    change(tiles)
    with pytest.raises(DataError, match=message):
        rasterise_labels(polygons, tiles, "class", tmp_path / "out", replace=True)


def test_existing_files_stay(image: Path, tmp_path: Path) -> None:
    polygons = save(tmp_path, [at(0, 0, 4, 4)], **{"class": ["a"]})
    rasterised(image, polygons)
    with pytest.raises(DataError, match=r"found a file; expected none\. Choose another --out, or add --replace"):
        rasterise_labels(polygons, image, "class", tmp_path / "labels.tif")
    rasterise_labels(polygons, image, "class", tmp_path / "labels.tif", replace=True)
    for read in (image, polygons):
        before = read.read_bytes()
        with pytest.raises(DataError, match="found a file that is read; expected another file"):
            rasterise_labels(polygons, image, "class", read, replace=True)
        assert read.read_bytes() == before
