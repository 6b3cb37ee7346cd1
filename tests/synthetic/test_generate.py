"""Files of generated data sets: the same town in every layout."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import rasterio

from mtlaerial.config import DatasetSpec, NoiseSpec, load_dataset
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check import check_dataset
from mtlaerial.datasets.decode import RawHeights, decode_height, decode_labels, unknown_labels
from mtlaerial.datasets.generation_note import NOTE
from mtlaerial.datasets.tile_windows import image_window, layer_window
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.synthetic.city import BUILDINGS, STYLES, TREES, Kind, View, render
from mtlaerial.synthetic.encode import sources
from mtlaerial.synthetic.erosion import at_border
from mtlaerial.synthetic.generate import synthesise
from mtlaerial.synthetic.tile_layout import Place, lay_out, tile_sizes
from support.generated_layouts import CLASSES, FOOTPRINTS, LAYOUTS, SEED, SPECS, spec_of


@pytest.fixture(scope="module", params=LAYOUTS)
def generated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    spec, coarse = LAYOUTS[request.param]
    dataset = Dataset(request.param, spec, tmp_path_factory.mktemp(request.param))
    synthesise(dataset, seed=SEED, size=(80, 120), ground_truth_gsd=coarse)
    return dataset


def places_of(spec: DatasetSpec, vary: float = 0.0) -> dict[str, Place]:
    sizes = tile_sizes(spec, SEED, (80, 120), vary, 1)
    return lay_out(Dataset("town", spec, Path()), sizes).places


@cache
def truth(name: str, tile: str) -> View:
    spec = LAYOUTS[name][0]
    place = places_of(spec)[tile]
    return render(STYLES["grid"], SEED, place.row, place.column, place.rows, place.columns, spec.gsd or 0)


def read(dataset: Dataset, layer: str, tile: str, index: int = 0) -> np.ndarray:
    image = image_window(dataset, tile)[3]
    path = dataset.files(layer, tile)[index]  # type: ignore[arg-type]  # a parameter is a string
    row, column, grid = image_window(dataset, tile)[1:] if layer == "image" else layer_window(path, image)
    with open_raster(path) as source:
        assert row >= 0
        assert column >= 0
        window = ((row, row + grid.height), (column, column + grid.width))
        raw = source.read(window=window)
    assert raw.shape[1:] == (grid.height, grid.width)
    return np.asarray(raw)


@pytest.mark.quick_cases(1, "generates three data sets a case")
@pytest.mark.parametrize("name", ["city", "grid", "footprints"])
def test_same_seed_same_pixels_other_seed_others(name: str, tmp_path: Path) -> None:
    spec, coarse = LAYOUTS[name]
    first, again, reseeded = (Dataset(name, spec, tmp_path / folder) for folder in ("made", "again", "other"))
    for dataset, seed in ((first, SEED), (again, SEED), (reseeded, SEED + 1)):
        synthesise(dataset, seed=seed, size=(80, 120), ground_truth_gsd=coarse)
    for tile in spec.tiles:
        for layer in ("image", "height", "labels"):
            np.testing.assert_array_equal(read(again, layer, tile), read(first, layer, tile))
        assert not np.array_equal(read(reseeded, "image", tile), read(first, "image", tile))


def files_below(root: Path) -> list[Path]:
    return sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())


@pytest.mark.full("generates a city twice, in processes")
def test_the_number_of_processes_changes_nothing(tmp_path: Path) -> None:
    spec, coarse = LAYOUTS["footprints"]
    one, two = (Dataset("town", spec, tmp_path / str(jobs)) for jobs in (1, 2))
    for jobs, dataset in enumerate((one, two), start=1):
        synthesise(dataset, seed=SEED, size=(80, 120), ground_truth_gsd=coarse, jobs=jobs)
    files = files_below(one.root)
    assert files_below(two.root) == files
    for path in files:
        if path.suffix != ".gpkg":  # which holds the time
            assert (one.root / path).read_bytes() == (two.root / path).read_bytes(), path


@pytest.mark.quick_cases(3, "generates a whole data set a case")
def test_generated_data_sets_pass_the_check(generated: Dataset) -> None:
    if generated.name != "geographic":  # whose pixels are no squares of metres, which the check refuses
        assert not [str(finding) for finding in check_dataset(generated).findings if finding.level == "error"]


def test_labels_without_borders(tmp_path: Path) -> None:
    whole = LAYOUTS["vaihingen"][0].model_dump(mode="json")
    spec = DatasetSpec.parse({**whole, "splits": {"train": ["area1"], "test": ["area2", "area4"]}}, "test")
    dataset = Dataset("vaihingen", spec, tmp_path)
    synthesise(dataset, seed=SEED, size=(90, 70), vary=0.1)
    assert not list(tmp_path.rglob("*area1_noBoundary*"))
    for tile in spec.splits["test"]:
        whole, eroded = read(dataset, "labels", tile), read(dataset, "eroded", tile)
        cut = np.any(whole != eroded, axis=0)
        np.testing.assert_array_equal(cut, at_border(whole))
        assert not eroded[:, cut].any()


@pytest.mark.quick_cases(3, "generates a whole data set a case")
def test_data_sets_are_complete_and_every_tile_is_different(generated: Dataset) -> None:
    assert generated.missing() == []
    assert f"seed {SEED}" in (generated.root / NOTE).read_text()
    assert not [path for path in generated.root.rglob("*") if ".part" in path.name]
    tiles = [read(generated, "image", tile).tobytes() for tile in generated.spec.tiles]
    assert len(set(tiles)) == len(tiles)


@pytest.mark.quick_cases(1, "generates a whole data set a case")
def test_labels_agree_with_the_rendered_town(generated: Dataset) -> None:
    spec = generated.spec.labels
    assert spec is not None
    for tile in generated.spec.tiles:
        view, raw = truth(generated.name, tile), read(generated, "labels", tile)
        raw = raw if spec.encoding == "rgb" else raw[0]
        assert not unknown_labels(spec, raw)
        codes = decode_labels(spec, raw)
        ratio = view.kind.shape[0] // codes.shape[0]
        names = np.array([*(entry.name for entry in spec.classes), *[""] * (256 - len(spec.classes))])[codes]
        kind = view.kind[ratio // 2 :: ratio, ratio // 2 :: ratio]
        for word, kinds in (("building", BUILDINGS), ("roof", BUILDINGS), ("tree", TREES), ("car", (Kind.CAR,))):
            if any(word in entry.name for entry in spec.classes):
                claimed = np.char.find(names, word) >= 0
                visible = np.isin(kind, kinds)
                assert np.mean(claimed != visible) < 0.03, (tile, word)


@pytest.mark.quick_cases(3, "generates a whole data set a case")
def test_heights_agree_with_the_rendered_town(generated: Dataset) -> None:
    spec = generated.spec.height
    assert spec is not None
    for tile in generated.spec.tiles:
        raw = [read(generated, "height", tile, index)[0] for index in range(len(spec.sources))]
        with open_raster(generated.files("height", tile)[0]) as source:
            absent = raw[0] == source.nodata
        metres = decode_height(spec, RawHeights(raw[0], np.asarray(absent)), *map(RawHeights, raw[1:]))
        visible = truth(generated.name, tile).height
        ratio = visible.shape[0] // metres.shape[0]
        visible = visible.reshape(metres.shape[0], ratio, metres.shape[1], ratio).mean(axis=(1, 3))
        valid = np.isfinite(metres)
        assert valid.mean() > 0.9
        np.testing.assert_allclose(metres[valid], visible[valid], atol=0.35 if generated.name == "vaihingen" else 2e-3)


@pytest.mark.quick_cases(3, "generates a whole data set a case")
def test_image_has_the_type_and_bands_it_is_said_to_have(generated: Dataset) -> None:
    spec, tile = generated.spec.image, generated.spec.tiles[0]
    raw = read(generated, "image", tile)
    assert raw.dtype == (np.uint16 if spec.range[1] > 255 else np.uint8)
    assert len(raw) == max(spec.bands)
    assert 0.02 < raw.std() / (spec.range[1] - spec.range[0]) < 0.5


@pytest.mark.parametrize(("low", "high", "dtype"), [(0, 255, "uint8"), (0, 4000, "uint16"), (-1, 1, "float32")])
def test_bands_record_what_they_are_named_after(low: float, high: float, dtype: str) -> None:
    image = {"files": "{tile}.tif", "bands": [4, 1, 3], "band_names": ["NIR", "red", "mystery"], "range": [low, high]}
    spec = spec_of(image=image)
    colour = np.random.default_rng(0).uniform(0.2, 0.7, (40, 30, 4)).astype(np.float32)
    flat = np.zeros(colour.shape[:2], np.float32)
    source = sources(spec, 0, {"image": 1, "height": 1, "labels": 1}, eight_bit=False)[0]
    raw = source.encode(View(colour, flat.astype(np.uint8), flat, flat), Place(0, 0, 40, 30), 0, NoiseSpec())
    assert raw.dtype == dtype
    assert low <= raw.min() < raw.max() <= high
    channels = {4: colour[..., 3], 1: colour[..., 0], 3: colour[..., :3].mean(axis=-1)}
    for band, expected in channels.items():
        value = (raw[band - 1] - low) / (high - low)
        assert np.corrcoef(value.ravel(), expected.ravel())[0, 1] > 0.97
        assert 0.8 < value.mean() / expected.mean() < 1.4


@pytest.mark.full("generates a whole data set")
def test_no_data_is_written_where_it_is_declared(tmp_path: Path) -> None:
    spec = load_dataset(SPECS / "city.yaml")
    dataset = Dataset("city", spec, tmp_path)
    synthesise(dataset, seed=1, size=256)
    void = [read(dataset, layer, tile) for layer in ("height", "labels") for tile in spec.tiles]
    assert any((raw == -9999).any() for raw in void[:7])
    assert any((raw == 0).any() for raw in void[7:])
    assert np.mean([(raw == -9999).mean() for raw in void[:7]]) < 0.01


def test_downloads_are_kept(tmp_path: Path) -> None:
    spec = LAYOUTS["footprints"][0]
    dataset = Dataset("town", spec, tmp_path)
    synthesise(dataset, seed=0, size=64)
    synthesise(dataset, seed=1, size=64)
    path = dataset.files("image", "west")[0]
    with open_raster(path) as source:
        profile, pixels = source.profile, source.read()
    path.unlink()
    with rasterio.open(path, "w", **profile) as target:
        target.write(pixels)
    with pytest.raises(DataError, match="not generated"):
        synthesise(dataset, seed=1, size=64)


@pytest.mark.parametrize(
    ("changes", "options", "word"),
    [
        ({"gsd": None}, {}, "gsd"),
        ({}, {"ground_truth_gsd": {"height": 0.7}}, "height"),
        ({}, {"ground_truth_gsd": {"labels": 3.0}}, "labels"),
        ({"labels": {"files": "labels.png", "classes": CLASSES}}, {}, "labels"),
        ({"footprints": {"files": "areas.shp"}}, {}, "footprints"),
    ],
)
def test_layouts_that_cannot_be_written_are_refused(changes: dict, options: dict, word: str, tmp_path: Path) -> None:
    dataset = Dataset("town", spec_of(**{**FOOTPRINTS, **changes}), tmp_path)
    with pytest.raises(ConfigError, match=word):
        synthesise(dataset, seed=0, size=64, **options)
    assert not (tmp_path / NOTE).exists()


@pytest.mark.parametrize("files", ["../{tile}.tif", "{outside}/{tile}.tif"])
def test_nothing_is_written_outside_the_folder(files: str, tmp_path: Path) -> None:
    height = {"files": files.replace("{outside}", str(tmp_path / "outside"))}
    with pytest.raises(ConfigError, match=r"height\.files\.0: found .*; expected a path below"):
        synthesise(Dataset("town", spec_of(**FOOTPRINTS, height=height), tmp_path / "town"), seed=0, size=64)
    assert not list(tmp_path.rglob("*.tif"))


def test_a_failure_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = Dataset("town", LAYOUTS["footprints"][0], tmp_path)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mtlaerial.synthetic.encode._photograph", fail)
    with pytest.raises(KeyboardInterrupt):
        synthesise(dataset, seed=0, size=64)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
