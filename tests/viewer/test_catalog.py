"""Catalog of a folder of maps: layers, objects, places, and files that are left out."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from mtlaerial.errors import DataError
from mtlaerial.maps.layer import Colour, Palette, Ramp
from mtlaerial.rasters.geotiff import create_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.viewer.catalog import NO_CRS, Catalog, read_catalog
from mtlaerial.viewer.style import DISTINCT
from support.map_viewer import COLOURS, SIDE, write_objects, write_place
from support.object_maps import CLASSES, grid, write_maps

VRT = """<VRTDataset rasterXSize="64" rasterYSize="64"><SRS>EPSG:32632</SRS>
<GeoTransform>600000, 0.5, 0, 5000000, 0, -0.5</GeoTransform>
<VRTRasterBand dataType="Int16" band="1"><NoDataValue>-32768</NoDataValue>
<SimpleSource><SourceFilename relativeToVRT="1">{file}</SourceFilename><SourceBand>1</SourceBand></SimpleSource>
</VRTRasterBand></VRTDataset>"""


def titles(catalog: Catalog) -> list[str]:
    return [layer.title for layer in catalog.layers.values()]


def colours(folder: Path) -> list[Colour]:
    palette = next(iter(read_catalog(folder).layers.values())).appearance.style
    assert isinstance(palette, Palette)
    return [each.colour for each in palette.categories]


def test_a_folder_of_maps_shows_its_layers_and_objects(maps: Path) -> None:
    catalog = read_catalog(maps)
    assert titles(catalog) == ["Classes", "Height above ground", "Probabilities of classes", "Image"]
    assert [each.features for each in catalog.objects.values()] == [1]
    assert catalog.notes == []
    classes = catalog.as_json()["layers"][0]["classes"]
    assert [each["name"] for each in classes] == list(CLASSES)
    assert [each["colour"] for each in classes] == [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in COLOURS]
    assert catalog.as_json()["layers"][1]["unit"] == "m"
    west, south, east, north = catalog.as_json()["places"][0]["bounds"]
    assert (west, north) == pytest.approx((10.27, 45.14), abs=0.01)
    assert 0 < east - west < 0.001
    assert 0 < north - south < 0.001


def test_files_elsewhere_are_shown_when_they_are_named(maps: Path, tmp_path: Path) -> None:
    write_maps(tmp_path / "only", grid(SIDE, SIDE), np.zeros((SIDE, SIDE)))
    catalog = read_catalog(tmp_path / "only", [maps / "ortho.tif", maps / "buildings.gpkg"])
    assert titles(catalog) == ["Classes", "Image"]
    assert len(catalog.objects) == 1
    assert list(catalog.places) == ["only"]


def test_the_index_of_a_region_stands_for_its_sheets(tmp_path: Path) -> None:
    write_place(tmp_path / "sheets" / "r0000_c0000")
    (tmp_path / "height.vrt").write_text(VRT.format(file="sheets/r0000_c0000/height.tif"))
    (tmp_path / "collection.json").write_text("{}")
    catalog = read_catalog(tmp_path)
    assert [layer.sources[0].path.name for layer in catalog.layers.values()] == ["height.vrt"]


def test_maps_of_other_classes_are_a_layer_of_their_own(tmp_path: Path) -> None:
    write_maps(tmp_path / "a", grid(SIDE, SIDE), np.zeros((SIDE, SIDE)))
    write_maps(tmp_path / "b", grid(SIDE, SIDE, column=SIDE), np.zeros((SIDE, SIDE)), classes=("road", "roof"))
    assert titles(read_catalog(tmp_path)) == ["Classes", "Classes, b"]


def test_maps_without_a_style_share_colours_that_span_the_values_of_all(tmp_path: Path) -> None:
    for name, column, value in (("a", 0, 5), ("b", SIDE, 90)):
        with create_raster(
            tmp_path / name / "height.tif", grid(4, SIDE, column=column), count=1, dtype="float32"
        ) as out:
            out.write(np.linspace(value, value + 10, 4 * SIDE, dtype=np.float32).reshape(1, 4, SIDE))
    (layer,) = read_catalog(tmp_path).layers.values()
    style = layer.appearance.style
    assert isinstance(style, Ramp)
    assert (style.stops[0][0], style.stops[-1][0]) == pytest.approx((5, 100), abs=0.2)


@pytest.mark.parametrize("georeferenced", [True, False])
def test_maps_without_a_crs_lie_on_a_plane_of_their_own(tmp_path: Path, georeferenced: bool) -> None:
    transform = Affine(0.5, 0, 1000, 0, -0.5, 2000) if georeferenced else Affine.identity()
    place = Grid(None, transform, SIDE, SIDE)
    write_place(tmp_path / "first", place)
    catalog = read_catalog(tmp_path)
    assert catalog.notes == [NO_CRS]
    side = SIDE * (0.5 if georeferenced else 1)
    assert catalog.places["first"] == pytest.approx((-side / 2, -side / 2, side / 2, side / 2))
    for layer in catalog.layers.values():
        assert layer.sources[0].transform.e < 0, "north is up"


def test_maps_without_a_crs_at_the_same_place_lie_side_by_side(tmp_path: Path) -> None:
    for name in "ab":
        write_place(tmp_path / name, Grid(None, Affine.identity(), SIDE, SIDE), image=False)
        write_objects(tmp_path / name / "buildings.gpkg", Grid(None, Affine.identity(), SIDE, SIDE))
    catalog = read_catalog(tmp_path)
    places, titles = catalog.places, [each.title for each in catalog.objects.values()]
    assert titles == ["buildings", "buildings, b"]
    assert places["a"][2] < places["b"][0]
    assert places["a"][3] == pytest.approx(places["b"][3])


def test_objects_of_maps_without_a_crs_lie_on_them(tmp_path: Path) -> None:
    place = Grid(None, Affine(0.5, 0, 1000, 0, -0.5, 2000), SIDE, SIDE)
    write_place(tmp_path, place)
    write_objects(tmp_path / "buildings.gpkg", place)
    catalog = read_catalog(tmp_path)
    (objects,) = catalog.objects.values()
    # Rows 16 to 32 and columns 24 to 48 of 64 at 0.5 m, from the centre.
    assert objects.bounds == pytest.approx((-4, 0, 8, 8))
    in_view = objects.within(objects.bounds)
    assert in_view["complete"]
    longitudes = [x for x, _ in in_view["features"][0]["geometry"]["coordinates"][0]]
    assert max(longitudes) == pytest.approx(8 / 111_319.49, rel=1e-6)


def test_colours_that_a_user_changed_in_qgis_are_shown(tmp_path: Path) -> None:
    write_place(tmp_path)
    style = tmp_path / "semantics.qml"
    style.write_text(style.read_text().replace("#d7191c", "#0000ff"))
    assert colours(tmp_path)[1] == (0, 0, 255)
    style.write_text('<!DOCTYPE x [<!ENTITY a "b">]><qgis/>')
    assert colours(tmp_path) == list(DISTINCT[:3]), "XML with entities is not read"


@pytest.mark.parametrize("make", ["nothing", "file", "empty", "other files", "missing file"])
def test_one_sentence_says_that_there_are_no_maps(tmp_path: Path, make: str) -> None:
    folder, further = tmp_path / "maps", []
    if make == "file":
        folder.write_text("")
    elif make != "nothing":
        folder.mkdir()
    if make == "other files":
        (folder / "notes.txt").write_text("text")
    if make == "missing file":
        write_place(folder, image=False)
        further = [tmp_path / "no.tif"]
    with pytest.raises(DataError) as error:
        read_catalog(folder, further)
    expected = {
        "nothing": "found no such folder",
        "file": "found a file",
        "empty": "found no map (.tif or .vrt) in it",
        "other files": "found no map (.tif or .vrt) in it",
        "missing file": "no.tif: found no such file",
    }
    assert expected[make] in str(error.value)


def test_nothing_outside_the_folder_is_read(tmp_path: Path, maps: Path) -> None:
    folder = tmp_path / "maps"
    write_place(folder, image=False)
    shutil.copy(maps / "height.tif", tmp_path / "secret.tif")
    (folder / "linked.tif").symlink_to(tmp_path / "secret.tif")
    (folder / "listed.vrt").write_text(VRT.format(file="../secret.tif"))
    (folder / "far.vrt").write_text(VRT.format(file="/vsicurl/http://127.0.0.1:9/a.tif"))
    (folder / "linked.gpkg").symlink_to(maps / "buildings.gpkg")
    catalog = read_catalog(folder)
    paths = {source.path.name for layer in catalog.layers.values() for source in layer.sources}
    assert paths == {"semantics.tif", "height.tif", "semantics_probabilities.tif"}
    assert not catalog.objects
    assert len(catalog.notes) == 4
    assert all(note.startswith("Left out: ") for note in catalog.notes)


def test_a_file_that_is_no_raster_or_has_no_place_is_left_out_with_a_note(tmp_path: Path) -> None:
    write_place(tmp_path, image=False)
    (tmp_path / "text.tif").write_text("no raster")
    (tmp_path / "text.gpkg").write_text("no GeoPackage")
    with create_raster(tmp_path / "far.tif", grid(SIDE, SIDE), count=1, dtype="uint8") as out:
        out.write(np.zeros((1, SIDE, SIDE), dtype=np.uint8))
    with rasterio.open(tmp_path / "far.tif", "r+") as file:
        file.crs, file.transform = CRS.from_epsg(4326), Affine(1, 0, 0, 0, -1, 95)
    notes = read_catalog(tmp_path).notes
    assert len(notes) == 3
    assert [any(name in note for note in notes) for name in ("text.tif", "text.gpkg", "far.tif")] == [True] * 3


def test_a_file_that_changes_while_it_is_shown_is_refused(tmp_path: Path) -> None:
    write_place(tmp_path, image=False)
    source = next(iter(read_catalog(tmp_path).layers.values())).sources[0]
    write_place(tmp_path, grid(SIDE, SIDE, column=1), image=False)
    with pytest.raises(DataError, match="another file than at the start"), source.open():
        pass


def test_each_start_has_tiles_at_other_addresses(maps: Path) -> None:
    first, second = ({layer["start"] for layer in read_catalog(maps).as_json()["layers"]} for _ in range(2))
    assert len(first) == len(second) == 1
    assert first != second
