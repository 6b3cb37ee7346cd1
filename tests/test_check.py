"""Each fault of a data set gives just its finding, and a clean data set none."""

import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from shapely.geometry import box

from mtlaerial.config import DatasetSpec, merge
from mtlaerial.datasets import check
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check import DatasetReport, TileReport, check_dataset, check_splits, check_tile, summary
from mtlaerial.datasets.check.height import suspicion

SIZE = 64
WEST, NORTH = 500_000.0, 5_400_000.0
COLOURS = np.array([[255, 255, 255], [0, 0, 255], [0, 255, 0]], dtype=np.uint8)
SPEC: dict[str, Any] = {
    "title": "Test town",
    "licence": "CC0",
    "obtain": "Ask the town hall.",
    "gsd": 0.5,
    "crs": "EPSG:32632",
    "image": {"files": ["image/{tile}.tif", "image/{tile}.png"]},
    "height": {"files": "height/{tile}.tif", "nodata": -9999},
    "labels": {
        "files": "labels/{tile}.tif",
        "ignore": [9],
        "classes": [
            {"name": "road", "values": [0], "colour": "#ffffff"},
            {"name": "house", "values": [1], "colour": "#0000ff"},
            {"name": "grass", "values": [2, 3], "colour": "#00ff00"},
        ],
    },
    "splits": {"train": ["a"], "test": ["b"]},
}


class Town:
    """A small data set on disk: tile b lies east of a."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.spec = SPEC
        self.random = np.random.default_rng(0)
        for index, tile in enumerate("ab"):
            west = WEST + index * SIZE * 0.5
            self.write("image", tile, self.image(), west=west)
            self.write("height", tile, self.heights(), gsd=1.0, west=west, nodata=-9999)
            self.write("labels", tile, self.labels(), west=west)

    def image(self, size: int = SIZE) -> np.ndarray:
        return self.random.integers(0, 256, (3, size, size), dtype=np.uint8)

    def heights(self, size: int = SIZE // 2) -> np.ndarray:
        """Half ground at 0, half roofs and crowns up to 30 m."""
        heights = self.random.uniform(0, 30, (size, size)).astype(np.float32)
        heights[: size // 2] = 0
        return heights

    def labels(self, size: int = SIZE) -> np.ndarray:
        return self.random.integers(0, 4, (size, size), dtype=np.uint8)

    def write(
        self,
        layer: str,
        tile: str,
        values: np.ndarray,
        gsd: float = 0.5,
        west: float = WEST,
        north: float = NORTH,
        crs: str | None = "EPSG:32632",
        transform: Affine | None = None,
        **profile: Any,
    ) -> Path:
        values = values if values.ndim == 3 else values[None]
        path = self.root / layer / f"{tile}.tif"
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        count, height, width = values.shape
        transform = transform or Affine(gsd, 0, west, 0, -gsd, north)
        place = {} if crs is None and transform.is_identity else {"crs": crs, "transform": transform}
        shape = {"count": count, "height": height, "width": width, "dtype": values.dtype}
        with (
            warnings.catch_warnings(action="ignore"),
            rasterio.open(path, "w", driver="GTiff", **shape, **place, **profile) as target,
        ):
            target.write(values)
        return path

    def bare(self, layer: str, tile: str, values: np.ndarray, **profile: Any) -> Path:
        """Write a file without georeference."""
        return self.write(layer, tile, values, crs=None, transform=Affine.identity(), **profile)

    def change(self, **sections: Any) -> None:
        self.spec = merge(self.spec, sections)

    @property
    def dataset(self) -> Dataset:
        return Dataset("town", DatasetSpec.parse(self.spec, "town.yaml"), self.root)

    def check(self, tile: str = "a") -> TileReport:
        return check_tile(self.dataset, tile)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def only(level: str, where: Path | str, report: TileReport, *words: str) -> None:
    """Assert that a report has one finding, that it is of the level and place, and says the words."""
    assert len(report.findings) == 1, "\n".join(map(str, report.findings))
    finding = report.findings[0]
    assert (finding.level, finding.where) == (level, str(where))
    for word in words:
        assert word in str(finding), f"{word!r} not in {finding}"
    assert finding.found
    assert finding.expected
    assert finding.remedy
    assert report.ok == (level == "warning")


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


# Files


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
        *(["image/{tile}.png"] if layer == "image" else []),
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
    only("error", path, town.check(), "a raster that GDAL reads")


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


# Place


def test_image_crs(town: Town) -> None:
    town.change(height=None, labels=SPEC["labels"])
    path = town.write("image", "a", town.image(), crs="EPSG:32633")
    only("error", path, town.check(), "EPSG:32633", "EPSG:32632")


@pytest.mark.parametrize("layer", ["height", "labels"])
@pytest.mark.parametrize("specified", ["EPSG:32632", None])
def test_layer_crs(town: Town, layer: str, specified: str | None) -> None:
    town.change(crs=specified)
    values, gsd = (town.heights(), 1.0) if layer == "height" else (town.labels(), 0.5)
    path = town.write(layer, "a", values, gsd=gsd, crs="EPSG:25832")
    only("error", path, town.check(), "EPSG:25832", "EPSG:32632")


def test_vertical_crs_is_right(town: Town) -> None:
    town.write("height", "a", town.heights(), gsd=1.0, crs="EPSG:32632+5773")
    assert town.check().findings == ()


def test_unknown_crs(town: Town) -> None:
    town.change(crs="EPSG:1")
    only("error", "crs", town.check(), "EPSG:1")


def test_no_georeference(town: Town) -> None:
    for layer in ("image", "height", "labels"):
        town.bare(layer, "a", {"image": town.image, "height": town.heights, "labels": town.labels}[layer]())
    assert town.check().findings == ()
    town.change(gsd=None)
    only("error", town.root / "image/a.tif", town.check(), "no georeference", "Set gsd")


def test_only_the_image_has_no_georeference(town: Town) -> None:
    town.change(height=None)
    town.bare("image", "a", town.image())
    only("error", town.root / "labels/a.tif", town.check(), "though the image has none")


@pytest.mark.parametrize("layer", ["image", "height", "labels"])
def test_rotated(town: Town, layer: str) -> None:
    values, gsd = (town.heights(), 1.0) if layer == "height" else (getattr(town, layer)(), 0.5)
    transform = Affine.translation(WEST, NORTH) @ Affine.rotation(10) @ Affine.scale(gsd, -gsd)
    only("error", town.write(layer, "b", values, transform=transform), town.check("b"), "rotated")


def test_south_up(town: Town) -> None:
    path = town.write("image", "a", town.image(), transform=Affine(0.5, 0, WEST, 0, 0.5, NORTH - 32))
    only("error", path, town.check(), "reverse")


@pytest.mark.parametrize("gsd", [(0.5, 0.6), (0.51, 0.51)])
def test_gsd(town: Town, gsd: tuple[float, float]) -> None:
    town.change(height=None)
    transform = Affine(gsd[1], 0, WEST, 0, -gsd[0], NORTH)
    path = town.write("image", "a", town.image(), transform=transform)
    town.write("labels", "a", town.labels(), transform=transform)
    only("error", path, town.check(), f"pixels of {gsd[1]} x {gsd[0]} m", "0.5 x 0.5 m")


def test_gsd_in_feet(town: Town) -> None:
    town.change(gsd=None, crs=None, height=None)
    path = town.write("image", "a", town.image(), crs="EPSG:2914", gsd=1.0)
    town.write("labels", "a", town.labels(), crs="EPSG:2914", gsd=1.0)
    only("error", path, town.check(), "foot", "Set gsd: 0.3048")
    town.change(gsd=0.3048)
    assert town.check().findings == ()


def test_degrees(town: Town) -> None:
    town.change(crs=None, height=None)
    place: dict[str, Any] = {"crs": "EPSG:4326", "gsd": 1e-5, "west": 9.0, "north": 48.0}
    path = town.write("image", "a", town.image(), **place)
    town.write("labels", "a", town.labels(), **place)
    only("error", path, town.check(), "in degrees", "gdalwarp")


def test_corner(town: Town) -> None:
    town.change(image={"corner": "town_{west}_{south}"}, height=None)
    for offset, right in ((0.9, True), (2.0, False)):
        name = f"town_{WEST:.0f}_{NORTH - 32:.0f}"
        town.change(splits={"train": [name], "test": []})
        path = town.write("image", name, town.image(), west=WEST + offset)
        town.write("labels", name, town.labels(), west=WEST + offset)
        if right:
            assert town.check(name).findings == ()
        else:
            only("error", path, town.check(name), "500002.00 5399968.00", "500000.00 5399968.00, as its name says")


def test_no_overlap(town: Town) -> None:
    path = town.write("labels", "a", town.labels(), west=WEST + 1000)
    only("error", path, town.check(), "ground of the image")


def test_one_pixel_too_many(town: Town) -> None:
    path = town.write("labels", "a", town.labels(SIZE + 1))
    only("error", path, town.check(), "65 x 65 pixels", "64 x 64 pixels")


def test_part_of_a_pixel_too_many(town: Town) -> None:
    town.write("height", "a", town.heights(), gsd=1.02)
    assert town.check().findings == ()


@pytest.mark.parametrize(("size", "right"), [(64, True), (32, True), (128, True), (65, False), (48, False)])
def test_size_without_georeference(town: Town, size: int, right: bool) -> None:
    path = town.bare("labels", "a", town.labels(size))
    if right:
        assert town.check().findings == ()
    else:
        only("error", path, town.check(), f"{size} x {size} pixels and no georeference", "64 x 64 pixels")


def test_mosaic_covers_a_part(town: Town) -> None:
    town.change(height={"files": "height/all.tif"})
    path = town.write("height", "all", town.heights(40), gsd=1.0, west=WEST, north=NORTH)
    assert town.check("a").findings == ()
    report = town.check("b")
    only("warning", path, report, "25 % of the tile covered")
    assert report.height
    assert report.height.nodata == pytest.approx(0.75)


def test_mosaic_elsewhere(town: Town) -> None:
    town.change(height={"files": "height/all.tif"})
    path = town.write("height", "all", town.heights(), gsd=1.0)
    only("error", path, town.check("b"), "ground of the image")


def test_mosaic_without_georeference(town: Town) -> None:
    town.change(labels={"files": "labels/all.tif"})
    only("error", town.bare("labels", "all", town.labels()), town.check(), "a mosaic without georeference")


def test_image_mosaic(town: Town) -> None:
    town.change(
        image={"files": "image/all.tif"},
        grid={"size": [64, 64]},
        height=None,
        labels={"files": "labels/all.tif"},
        splits={"train": ["r1c1"], "test": ["r1c2", "r2c1"]},
    )
    town.write("image", "all", town.image(100))
    town.write("labels", "all", town.labels(100))
    report = check_dataset(town.dataset)
    assert report.findings == ()
    assert [tile.image.size for tile in report.tiles if tile.image] == [(64, 64), (64, 36), (36, 64)]
    town.change(splits={"train": ["r9c9"], "test": []})
    only("error", town.root / "image/all.tif", town.check("r9c9"), "end before tile r9c9")


def test_footprints(town: Town) -> None:
    town.change(image={"files": "image/all.tif"}, footprints={"files": "tiles.geojson"}, height=None)
    town.change(labels={"files": "labels/all.tif"})
    town.write("image", "all", town.image(128))
    town.write("labels", "all", town.labels(128))
    only("error", town.root / "tiles.geojson", town.check(), "no file", "Ask the town hall.")
    shapes = [box(WEST + x, NORTH - 20, WEST + x + 30, NORTH) for x in (0, 25)]
    gpd.GeoDataFrame({"tile": ["a", "b"]}, geometry=shapes, crs="EPSG:32632").to_file(town.root / "tiles.geojson")
    report = check_dataset(town.dataset)
    (finding,) = report.findings
    assert "16.7 % of the smaller in common" in finding.found
    assert [tile.image.size for tile in report.tiles if tile.image] == [(40, 60), (40, 60)]


# The image


def test_bands(town: Town) -> None:
    only("error", town.write("image", "a", town.image()[:2]), town.check(), "2 bands", "the bands 1, 2, 3")


def test_complex_image(town: Town) -> None:
    only("error", town.write("image", "a", town.image().astype(np.complex64)), town.check(), "complex64")


def test_image_range(town: Town) -> None:
    image = town.image().astype(np.uint16)
    image[:, :16] = 1000
    only("warning", town.write("image", "a", image), town.check(), "25 % of the values outside 0 to 255", "1000")


def test_infinite_image(town: Town) -> None:
    image = town.image().astype(np.float32)
    image[0, 0, :2] = np.nan, np.inf
    only("error", town.write("image", "a", image), town.check(), "2 values that are NaN or infinite")


def test_constant_image(town: Town) -> None:
    path = town.write("image", "a", np.full((3, SIZE, SIZE), 7, dtype=np.uint8))
    only("warning", path, town.check(), "the value 7 in every pixel")


def test_reflectances_taken_for_bytes(town: Town) -> None:
    path = town.write("image", "a", town.image() / np.float32(255))
    only("warning", path, town.check(), "values from 0 to 1 only", "0 to 255")


@pytest.mark.parametrize("nodata", [0, np.nan])
def test_image_nodata(town: Town, nodata: float) -> None:
    image = town.image().astype(np.float32) + 0.5
    image[:, :16] = nodata
    town.change(image={"range": [0.5, 256]})
    town.write("image", "a", image, nodata=nodata)
    report = town.check()
    assert report.findings == ()
    assert report.image
    assert report.image.nodata == 0.25
    image[:] = nodata
    only("error", town.write("image", "a", image, nodata=nodata), town.check(), "no pixel with data")


# Labels


def test_unknown_codes(town: Town) -> None:
    labels = town.labels()
    labels[0, :3], labels[1, :2] = 77, 88
    found = "77 (3 pixels), 88 (2 pixels)"
    only("error", town.write("labels", "a", labels), town.check(), found, "0 road", "1 house", "3 grass", "9 ignored")


def test_negative_codes(town: Town) -> None:
    labels = town.labels().astype(np.int16)
    labels[0, 0] = -1
    only("error", town.write("labels", "a", labels), town.check(), "-1 (1 pixels)")
    town.write("labels", "a", labels, nodata=-1)
    assert town.check().findings == ()


@pytest.fixture
def colourful(town: Town) -> Town:
    classes = [{**c, "values": [tuple(v)]} for c, v in zip(SPEC["labels"]["classes"], COLOURS.tolist(), strict=True)]
    town.change(labels={"encoding": "rgb", "classes": classes, "ignore": ["#ff0000"]})
    for tile, west in (("a", WEST), ("b", WEST + 32)):
        town.write("labels", tile, np.moveaxis(COLOURS[town.labels() % 3], -1, 0), west=west)
    return town


def test_colours(colourful: Town) -> None:
    assert check_dataset(colourful.dataset).findings == ()
    image = np.moveaxis(COLOURS[colourful.labels() % 3], -1, 0).copy()
    image[:, 0, 0] = 1, 2, 3
    path = colourful.write("labels", "a", image)
    only("error", path, colourful.check(), "(1, 2, 3) (1 pixels)", "(0, 0, 255) house", "(255, 0, 0) ignored")


def test_colour_form(colourful: Town) -> None:
    path = colourful.write("labels", "a", colourful.labels())
    only("error", path, colourful.check(), "1 band of uint8", "3 bands of uint8")
    path = colourful.write("labels", "a", np.zeros((3, SIZE, SIZE), dtype=np.uint16))
    only("error", path, colourful.check(), "3 bands of uint16")


def test_code_form(town: Town) -> None:
    path = town.write("labels", "a", town.labels().astype(np.float32))
    only("error", path, town.check(), "1 band of float32", "integer codes")
    only("error", town.write("labels", "a", town.image()), town.check(), "3 bands of uint8", "labels.encoding")


@pytest.mark.parametrize(("tile", "level"), [("a", "error"), ("b", "warning")])
def test_all_ignored(town: Town, tile: str, level: str) -> None:
    west = WEST + 32 * (tile == "b")
    path = town.write("labels", tile, np.full((SIZE, SIZE), 9, dtype=np.uint8), west=west)
    only(level, path, town.check(tile), "no pixel with a class")


def test_tag_that_is_a_class(town: Town) -> None:
    path = town.write("labels", "a", town.labels(), nodata=1)
    report = town.check()
    only("warning", path, report, "the no-data tag 1", "house")
    assert report.labels
    assert report.labels.classes["house"] == 0


# Heights


@pytest.mark.parametrize("nodata", [-9999, np.nan, -3.4028234663852886e38])
@pytest.mark.parametrize(("tile", "level"), [("a", "error"), ("b", "warning")])
def test_no_heights(town: Town, nodata: float, tile: str, level: str) -> None:
    heights = np.full((32, 32), nodata, dtype=np.float32)
    path = town.write("height", tile, heights, gsd=1.0, west=WEST + 32 * (tile == "b"), nodata=nodata)
    only(level, path, town.check(tile), "no cell with a height")


def test_many_without_height(town: Town) -> None:
    heights = town.heights()
    heights[:, :24] = -9999
    path = town.write("height", "a", heights, gsd=1.0)
    report = town.check()
    only("warning", path, report, "75 % of the cells without a height")
    assert report.height
    assert report.height.nodata == 0.75


def test_infinite_heights(town: Town) -> None:
    heights = town.heights()
    heights[0, :3] = np.inf
    only("warning", town.write("height", "a", heights, gsd=1.0), town.check(), "3 infinite values")


def test_heights_outside(town: Town) -> None:
    heights = town.heights()
    heights[:8] = -50
    path = town.write("height", "a", heights, gsd=1.0)
    only("warning", path, town.check(), "25 % of the heights outside -10 to 500 m", "height.range")


def test_complex_heights(town: Town) -> None:
    path = town.write("height", "a", town.heights().astype(np.complex64), gsd=1.0)
    only("error", path, town.check(), "complex64")


def test_several_bands_of_height(town: Town) -> None:
    path = town.write("height", "a", np.stack([town.heights()] * 2), gsd=1.0)
    only("warning", path, town.check(), "2 bands", "The first is used")


@pytest.mark.parametrize(("unit", "scale"), [(10, "0.1"), (100, "0.01"), (1000, "0.001")])
def test_wrong_unit(town: Town, unit: int, scale: str) -> None:
    path = town.write("height", "a", (town.heights() * unit).astype(np.int32), gsd=1.0)
    only("warning", path, town.check(), f"set height.scale, e.g. to {scale}.")
    town.change(height={"scale": float(scale)})
    assert town.check().findings == ()


@pytest.mark.parametrize(("ground", "level"), [(12, "warning"), (300, "error"), (1600, "error")])
def test_elevation(town: Town, ground: float, level: str) -> None:
    path = town.write("height", "a", town.heights() + np.float32(ground), gsd=1.0)
    only(level, path, town.check(), "height.surface and height.ground")


@pytest.mark.parametrize(
    ("low", "median", "high", "whole", "expected"),
    [
        (0, 0.1, 35, False, None),
        (0, 6, 22, True, None),  # a town in whole metres
        (0.2, 25, 38, False, None),  # a forest
        (-0.4, 12, 140, False, None),  # skyscrapers
        (5, 80, 2400, True, "unit"),  # centimetres, with 5 cm of noise on the ground
        (0, 9, 190, True, "unit"),  # decimetres
        (8, 12, 35, False, "elevation"),  # by the sea
        (1, 45, 120, False, "elevation"),  # a slope that rises from the sea
    ],
)
def test_suspicion(low: float, median: float, high: float, whole: bool, expected: str | None) -> None:
    assert suspicion(low, median, high, whole) == expected


@pytest.fixture
def hilly(town: Town) -> Town:
    """A town whose height is surface minus ground."""
    town.spec = {**town.spec, "height": {"surface": "dsm/{tile}.tif", "ground": "dtm/{tile}.tif"}}
    town.write("dsm", "a", town.heights() + np.float32(300), gsd=1.0)
    town.write("dtm", "a", np.full((32, 32), 300, dtype=np.int16), gsd=1.0)
    return town


def test_surface_and_ground(hilly: Town) -> None:
    report = hilly.check()
    assert report.findings == ()
    assert report.height
    assert report.height.minimum == 0
    (hilly.root / "dtm/a.tif").unlink()
    only("error", hilly.root / "dtm/a.tif", hilly.check(), "no file")


@pytest.mark.parametrize("change", [{"gsd": 0.5}, {"gsd": 1.0, "west": WEST + 0.4}])
def test_surface_and_ground_apart(hilly: Town, change: dict[str, float]) -> None:
    size = 64 if change["gsd"] == 0.5 else 32
    path = hilly.write("dtm", "a", np.full((size, size), 300, dtype=np.float32), **change)
    only("error", path, hilly.check(), "the cells of", "dsm/a.tif", "Resample")


def test_surface_and_ground_truncated(hilly: Town) -> None:
    paths = [hilly.root / "dsm/a.tif", hilly.root / "dtm/a.tif"]
    for path in paths:
        path.write_bytes(path.read_bytes()[:-500])
    findings = hilly.check().findings
    assert [finding.where for finding in findings] == list(map(str, paths))
    only_second = hilly.write("dsm", "a", hilly.heights() + np.float32(300), gsd=1.0)
    assert only_second == paths[0]
    only("error", paths[1], hilly.check(), "readable pixels")


def test_ground_of_a_mosaic(hilly: Town) -> None:
    """Files of different extent are compared where the tile is."""
    hilly.change(height={"ground": "dtm/all.tif"})
    hilly.write("dtm", "all", np.full((50, 60), 300, dtype=np.float32), gsd=1.0, west=WEST - 7, north=NORTH + 5)
    report = hilly.check()
    assert report.findings == ()
    assert report.height
    assert (report.height.size, report.height.nodata) == ((32, 32), 0.0)


# Several at once, and many blocks


def test_all_faults_are_found_at_once(town: Town) -> None:
    (town.root / "image/a.tif").unlink()
    height = town.write("height", "a", town.heights() + np.float32(300), gsd=1.0, crs="EPSG:25832")
    height.write_bytes(height.read_bytes()[:-500])
    labels = town.labels()
    labels[0, 0] = 77
    town.write("labels", "a", labels)
    findings = town.check().findings
    assert [(Path(f.where).parent.name, f.found.split()[0]) for f in findings[:2]] == [
        ("image", "no"),
        ("height", "the"),
    ]
    assert "readable pixels" in str(findings[2])
    town.write("image", "a", town.image().astype(np.float32) * 2, gsd=0.6)
    levels = [(Path(f.where).parent.name, f.level) for f in town.check().findings]
    assert levels == [
        ("image", "error"),
        ("image", "warning"),
        ("height", "error"),
        ("height", "error"),
        ("labels", "error"),
    ]


def test_memory_follows_the_block(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of 24 blocks of rows, with faults in the last."""
    rows, columns = 24 * 512, 256
    image = town.random.integers(0, 256, (3, rows, columns), dtype=np.uint8)
    labels = np.zeros((rows, columns), dtype=np.uint8)
    labels[-1, -1] = 77
    heights = np.zeros((rows, columns), dtype=np.float32)
    heights[-1, -1] = np.inf
    for layer, values in (("image", image), ("labels", labels), ("height", heights)):
        town.write(layer, "a", values)
    whole = image.nbytes + labels.nbytes + heights.nbytes
    del image, labels, heights, values
    town.check("b")
    monkeypatch.setattr("mtlaerial.datasets.check.height._SAMPLE", 10_000)
    tracemalloc.start()
    report = town.check()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {Path(f.where).parent.name for f in report.findings} == {"labels", "height"}
    assert peak < whole / 4


# Between tiles


def test_train_overlaps_test(town: Town) -> None:
    town.write("image", "b", town.image(), west=WEST + 24)
    (finding,) = check_splits([check_tile(town.dataset, tile) for tile in "ab"])
    assert finding.level == "error"
    for word in ("train tile a", "test tile b", "25 %"):
        assert word in finding.found


def test_same_image_without_georeference(town: Town) -> None:
    image = town.image()
    for tile in "ab":
        for layer, values in (("image", image), ("height", town.heights()), ("labels", town.labels())):
            town.bare(layer, tile, values)
    (finding,) = check_dataset(town.dataset).findings
    assert finding.level == "error"
    assert "train tile a and test tile b with the same image" in finding.found
    town.bare("image", "b", town.image())
    assert check_dataset(town.dataset).findings == ()


def test_tiles_unlike_the_others(town: Town) -> None:
    town.change(splits={"train": ["a"], "test": ["b", "c"]}, gsd=None, height=None, labels={"optional": ["c"]})
    town.write("image", "c", np.zeros((4, SIZE, SIZE), dtype=np.uint16), gsd=0.6, west=WEST + 1000)
    form, gsd = check_dataset(town.dataset).splits
    assert (form.level, form.where) == ("error", "image of tile c")
    assert "4 bands of uint16" in form.found
    assert "3 of uint8" in form.expected
    assert (gsd.level, gsd.found) == ("warning", "0.6 m per pixel")


# The summary


def test_summary(town: Town) -> None:
    town.change(generated=True)
    for tile in "ab":
        (town.root / "labels" / f"{tile}.tif").unlink()
    town.write("image", "a", np.full((3, SIZE, SIZE), 7, dtype=np.uint8))
    text = summary(check_dataset(town.dataset))
    assert "Data set town (generated data)" in text
    assert text.splitlines()[3].split()[:5] == ["a", "train", "64", "x", "64"]
    assert text.index("Errors") < text.index("labels/a.tif") < text.index("Warnings") < text.index("the value 7")
    assert text.endswith("2 tiles, 2 errors, 1 warning.")
    assert "no errors, no warnings." in summary(check.assemble([Town(town.root).check()]))


def test_no_torch() -> None:
    import subprocess
    import sys

    code = "import sys, mtlaerial.datasets.check; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
