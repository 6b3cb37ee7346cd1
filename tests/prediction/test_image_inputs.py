"""Images that arguments name: files, folders, patterns, lists, indexes, addresses."""

import logging
from pathlib import Path

import geopandas as gpd
import pytest
from shapely import box

from mtlaerial.errors import UserError
from mtlaerial.prediction.image_inputs import find_images


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of empty files, in the current folder; only names matter."""
    monkeypatch.chdir(tmp_path)
    for name in ("b.tif", "a.JPG", "a.tfw", "mosaic.vrt", ".hidden.tif", "deep/c.tif"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "images"


def locations(*arguments: str) -> list[str]:
    return [image.location for image in find_images(arguments).images]


def index(path: Path, names: list[str], field: str = "location") -> Path:
    frame = gpd.GeoDataFrame({field: names}, geometry=[box(i, 0, i + 1, 1) for i in range(len(names))], crs=4326)
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_file(path)
    return path


def test_a_single_file_or_address_is_one_image() -> None:
    for argument in ("nowhere.tif", "https://example.org/a.tif?key=1"):
        assert not find_images([argument]).several
    assert find_images(["https://example.org/deep/my%20a.tif?key=1"]).images[0].stem == "my a"


def test_a_folder_gives_its_images_and_says_what_is_left_out(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert locations("images") == ["images/a.JPG", "images/b.tif"]
    assert "2 images; left out are 1 VRTs (name them to predict from them) and 1 other files" in caplog.text
    assert find_images(["images"]).several
    (folder / "deep" / "c.tif").unlink()
    with pytest.raises(UserError, match=r"images/deep: found a folder without images"):
        find_images(["images/deep"])


@pytest.mark.usefixtures("folder")
def test_patterns_are_expanded_and_leave_maps_out() -> None:
    assert locations("images/*.tif") == ["images/b.tif"]
    for name in ("height.tif", "stac_item.json"):
        (Path("images/maps/b") / name).parent.mkdir(parents=True, exist_ok=True)
        (Path("images/maps/b") / name).touch()
    assert locations("images/**/*.tif") == ["images/b.tif", "images/deep/c.tif"]
    with pytest.raises(UserError, match=r"images/\*\.png: found no file that matches"):
        find_images(["images/*.png"])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("argument", ["list.txt", "@list"])
def test_a_list_has_a_location_per_line(argument: str) -> None:
    lines = "\ufeff# images\n\nimages/b.tif\r\nhttps://example.org/x.tif\nimages/deep\n"
    Path(argument.removeprefix("@")).write_text(lines, encoding="utf-8")
    assert locations(argument) == ["images/b.tif", "https://example.org/x.tif", "images/deep/c.tif"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"# nothing\n", "a list without images"),
        (b"other.txt\n", "the list other.txt in a list"),
        (b"\xff\xfe\x00", "bytes that are no text"),
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(UserError, match=message):
        find_images([str(tmp_path / "list.txt")])
    with pytest.raises(UserError, match=r"nowhere\.txt: found no such file"):
        find_images([str(tmp_path / "nowhere.txt")])


@pytest.mark.parametrize("name", ["index.gpkg", "index.geojson", "index.parquet"])
def test_an_index_names_images_beside_it(tmp_path: Path, name: str) -> None:
    path = index(tmp_path / name, ["a.tif", str(tmp_path / "elsewhere" / "b.tif")])
    assert locations(str(path)) == [str(tmp_path / "a.tif"), str(tmp_path / "elsewhere" / "b.tif")]


def test_an_index_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"found the fields tile, geometry; expected a tile index with the field loc"):
        find_images([str(index(tmp_path / "a.gpkg", ["a.tif"], "tile"))])
    for name in ("http://example.org/a.tif", "/vsicurl/http://example.org/a.tif"):
        with pytest.raises(UserError, match=r"found the address .*; expected files of this machine"):
            find_images([str(index(tmp_path / "b.gpkg", [name]))])
    (tmp_path / "c.parquet").write_text("no parquet")
    with pytest.raises(UserError, match=r"c\.parquet: found .*; expected a GeoParquet file"):
        find_images([str(tmp_path / "c.parquet")])


@pytest.mark.usefixtures("folder")
def test_an_image_that_is_named_twice_is_taken_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert locations("images/b.tif", str(Path("images/b.tif").absolute()), "images") == ["images/b.tif", "images/a.JPG"]
    assert "2 images are named more than once" in caplog.text


def test_two_images_of_one_name_are_refused_with_both_paths() -> None:
    with pytest.raises(UserError, match=r"found the images x/a\.tif and y/A\.jp2; expected a name for each"):
        find_images(["x/a.tif", "y/A.jp2"])
