"""Faulty data and settings on the command line: one clear message, the exit code, and no partial file.

The findings of `check` are tested in detail in tests/datasets/check; here the whole program runs.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import yaml
from rasterio.crs import CRS
from shapely.geometry import box

from mtlaerial import cli
from mtlaerial.config import merge
from mtlaerial.datasets.catalog import Dataset
from support import tiny

BELOW_A_FILE = Path("/dev/null/below")
"""A folder that nobody can make, not even root."""


class Town:
    """A sound data set on disk, its specification, and the ways to break them."""

    def __init__(self, folder: Path, city: Dataset) -> None:
        self.folder, self.root, self.spec = folder, folder / "data", folder / "town.yaml"
        shutil.copytree(city.root, self.root)
        self.change_spec(**city.spec.model_dump(mode="json", exclude_none=True))

    def change_spec(self, **changes: Any) -> None:
        old = yaml.safe_load(self.spec.read_text()) if self.spec.exists() else {}
        self.spec.write_text(yaml.safe_dump(merge(old, changes), sort_keys=False))

    def path(self, layer: str, tile: str = "city_1") -> Path:
        return self.root / layer / f"{tile}.tif"

    def rewrite(
        self, layer: str, change: Callable[[np.ndarray], np.ndarray] = lambda values: values, tile: str = "city_1",
        **profile: Any,
    ) -> None:  # fmt: skip
        """Write a raster again with other values or another profile."""
        path = self.path(layer, tile)
        with rasterio.open(path) as source:
            old, values = source.profile, source.read()
        values = change(values)
        shape = {"count": values.shape[0], "height": values.shape[1], "width": values.shape[2], "dtype": values.dtype}
        path.unlink()
        with rasterio.open(path, "w", **{**old, **shape, **profile}) as target:
            target.write(values)


@pytest.fixture
def town(tmp_path: Path, city: Dataset) -> Town:
    return Town(tmp_path, city)


@pytest.fixture
def run(tmp_path: Path, run_folder: Path) -> Path:
    return Path(shutil.copytree(run_folder, tmp_path / "run"))


@pytest.fixture
def program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Return a function that runs the program and returns its exit code and all its output."""

    def program(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["mtlaerial", *map(str, arguments)])
        capsys.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        output = "".join(capsys.readouterr())
        assert "Traceback" not in output
        assert not list(tmp_path.rglob("*.part*"))
        return code, output

    return program


def assert_says(outcome: tuple[int, str], *words: str, code: int = 1) -> None:
    assert outcome[0] == code, outcome[1]
    for word in words:
        assert word in outcome[1], f"{word!r} not in {outcome[1]}"


# Data


def truncate(town: Town) -> None:
    path = town.path("images")
    path.write_bytes(path.read_bytes()[:-3000])


def directory(town: Town) -> None:
    town.path("images").unlink()
    town.path("images").mkdir()


def same_ground(town: Town) -> None:
    for layer in ("images", "height", "labels"):
        shutil.copy(town.path(layer), town.path(layer, "city_4"))


def not_a_raster(town: Town) -> None:
    town.path("images").write_text("<html>404 Not Found</html>")


def missing_file(town: Town) -> None:
    town.path("images").unlink()


def unknown_colour(town: Town) -> None:
    spec = yaml.safe_load(town.spec.read_text())["labels"]
    colours = np.zeros((256, 3), dtype=np.uint8)
    for entry in spec["classes"]:
        colours[entry["values"]] = entry["colour"]
        entry["values"] = [entry["colour"]]
    for tile in ("city_1", "city_2", "city_3", "city_4"):
        town.rewrite("labels", lambda values: np.moveaxis(colours[values[0]], -1, 0), tile, nodata=None)
    town.rewrite("labels", lambda values: first_pixel(values, 1), nodata=None)
    town.change_spec(labels={**spec, "encoding": "rgb", "ignore": [[0, 0, 0]]})


def first_pixel(values: np.ndarray, value: float) -> np.ndarray:
    values[:, 0, 0] = value
    return values


def one_pixel_more(values: np.ndarray) -> np.ndarray:
    return np.pad(values, ((0, 0), (0, 1), (0, 1)), mode="edge")


DATA: dict[str, tuple[Callable[[Town], None], tuple[str, ...]]] = {
    "truncated": (truncate, ("images/city_1.tif", "truncated or damaged")),
    "directory": (directory, ("images/city_1.tif", "a directory", "a raster file")),
    "missing": (missing_file, ("images/city_1.tif", "no file")),
    "not a raster": (not_a_raster, ("images/city_1.tif", "beginning with '<html>404", "a GeoTIFF")),
    "crs": (lambda t: t.rewrite("height", crs=CRS.from_epsg(32632)), ("height/city_1.tif", "EPSG:32632", "EPSG:32631")),
    "leak": (same_ground, ("train tile city_1 and test tile city_4", "in common", "splits without common ground")),
    "one pixel more": (lambda t: t.rewrite("labels", one_pixel_more), ("labels/city_1.tif", "Crop or pad")),
    "code": (lambda t: t.rewrite("labels", lambda v: first_pixel(v, 77)), ("labels/city_1.tif", "77 (1 pixels)")),
    "colour": (unknown_colour, ("labels/city_1.tif", "(1, 1, 1) (1 pixels)")),
    "no height": (
        lambda t: t.rewrite("height", lambda v: 0 * v - 9999),
        ("height/city_1.tif", "no cell with a height"),
    ),
    "infinite": (
        lambda t: t.rewrite("images", lambda v: first_pixel(v.astype(np.float32), np.inf)),
        ("images/city_1.tif", "with infinite values, or NaN in some bands"),
    ),
    "elevation": (
        lambda t: t.rewrite("height", lambda v: v + 300),
        ("height/city_1.tif", "height.surface and height.ground"),
    ),
}


@pytest.mark.parametrize("fault", DATA)
def test_data(fault: str, town: Town, program: Callable[..., tuple[int, str]]) -> None:
    breaking, words = DATA[fault]
    assert_says(program("check", town.spec, "--root", town.root), "no errors", code=0)
    breaking(town)
    assert_says(program("check", town.spec, "--root", town.root), *words)


def test_training_on_faulty_data(town: Town, program: Callable[..., tuple[int, str]]) -> None:
    """No tile is prepared from faulty data."""
    truncate(town)
    outcome = program("train", town.spec, "--root", town.root, "--out", town.folder / "out", "--config", config(town))
    assert_says(outcome, "Error: ", "images/city_1.tif", "truncated or damaged", "Mend what is listed")
    assert not (town.folder / "out").exists()


def test_heights_in_decimetres_are_a_warning(town: Town, program: Callable[..., tuple[int, str]]) -> None:
    """A warning: they may be skyscrapers."""
    town.rewrite("height", lambda v: np.where(v < -1000, v, v * 100))
    outcome = program("check", town.spec, "--root", town.root)
    assert_says(outcome, "height/city_1.tif", "height.scale, e.g. to 0", "no errors", code=0)


# Specifications


def mosaic(town: Town, **changes: Any) -> None:
    """Take the first tile's files for mosaics."""
    town.change_spec(
        image={"files": ["images/city_1.tif"]}, height={"files": ["height/city_1.tif"]},
        labels={"files": ["labels/city_1.tif"]}, **changes,
    )  # fmt: skip


def outside_the_grid(town: Town) -> None:
    mosaic(town, grid={"size": [32, 32]}, splits={"train": ["r1c1"], "val": ["r1c2"], "test": ["r9c9"]})


def no_such_column(town: Town) -> None:
    frame = gpd.GeoDataFrame({"name": ["a"]}, geometry=[box(0, 0, 1, 1)], crs="EPSG:32631")
    frame.to_file(town.root / "tiles.gpkg")
    mosaic(town, footprints={"files": "tiles.gpkg"}, splits={"train": ["a"], "val": [], "test": []})


def split_table(text: str) -> Callable[[Town], None]:
    def write(town: Town) -> None:
        (town.folder / "splits.csv").write_text(text)
        spec = yaml.safe_load(town.spec.read_text()) | {"splits": {"csv": "splits.csv"}}
        town.spec.write_text(yaml.safe_dump(spec))

    return write


SPECS: dict[str, tuple[Callable[[Town], Any], tuple[str, ...]]] = {
    "empty": (lambda t: t.spec.write_text(""), ("town.yaml", "found nothing", "a mapping of keys to values")),
    "not YAML": (lambda t: t.spec.write_text("splits: [a, b"), ("town.yaml", "not YAML", "line 1")),
    "missing": (lambda t: t.spec.unlink(), ("town.yaml", "No such file", "a YAML file")),
    "directory": (lambda t: (t.spec.unlink(), t.spec.mkdir()), ("town.yaml", "a folder", "a YAML file")),
    "no tiles": (lambda t: t.change_spec(splits={"train": []}), ("town.yaml", "splits.train", "at least one tile")),
    "key": (lambda t: t.change_spec(licens="CC0"), ("town.yaml", "licens", "Did you mean licence?")),
    "nested key": (lambda t: t.change_spec(image={"band": [1]}), ("image.band", "Did you mean bands?")),
    "two splits": (
        lambda t: t.change_spec(splits={"val": ["city_1"]}),
        ("town.yaml", "each tile once, in one split", "the tile city_1 2 times"),
    ),
    "no header": (
        split_table("city_1,train\ncity_2,val\n"),
        ("splits.csv", "city_1, train", "a header with tile and split"),
    ),
    "unknown split": (split_table("tile,split\ncity_1,training\n"), ("splits.training", "'train', 'val' or 'test'")),
    "outside": (outside_the_grid, ("images/city_1.tif", "end before tile r9c9", "the tile inside")),
    "column": (no_such_column, ("tiles.gpkg", "the columns name", "a column tile", "footprints.column")),
    "crs": (lambda t: t.change_spec(crs="EPSG:1"), ("crs", "EPSG:1", "a CRS such as")),
}


@pytest.mark.parametrize("fault", SPECS)
def test_specification(fault: str, town: Town, program: Callable[..., tuple[int, str]]) -> None:
    breaking, words = SPECS[fault]
    breaking(town)
    report = town.folder / "report.json"
    assert_says(program("check", town.spec, "--root", town.root, "--report", report), *words)


# Configurations


def config(town: Town, **changes: Any) -> Path:
    """Write a small configuration with changes."""
    whole = {
        "run": {"datasets": ["town"], "methods": ["equal"], "seeds": [0]},
        "datasets": {"town": {"spec": str(town.spec), "root": str(town.root)}},
        "models": {"tiny": tiny.MODEL},
        "methods": {"equal": {"tasks": ["semantics", "height"], "model": "tiny"}},
        "training": tiny.TRAINING,
    }
    path = town.folder / "config.yaml"
    path.write_text(yaml.safe_dump(merge(whole, changes)))
    return path


CONFIGS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "key": ({"trainings": {}}, ("config.yaml", "trainings", "Did you mean training?")),
    "nested key": (
        {"training": {"augmentation": {"flips": True}}},
        ("training.augmentation.flips", "Did you mean flip?"),
    ),
    "override": (
        {"methods": {"equal": {"overrides": {"training": {"epoch": 1}}}}},
        ("methods.equal.overrides", "epochs"),
    ),
    "seed": ({"run": {"seeds": [-1]}}, ("run.seeds.0", "-1", "a number of at least 0")),
    "seed twice": ({"run": {"seeds": [1, 1]}}, ("run.seeds", "1 twice", "each of seeds once")),
    "method": ({"run": {"methods": ["equl"]}}, ("run.methods", "'equl'", "one of equal", "Did you mean equal?")),
    "model": ({"methods": {"equal": {"model": "big"}}}, ("methods.equal.model", "'big'", "one of tiny")),
    "weighting": (
        {"methods": {"equal": {"weighting": {"name": "magic"}}}},
        ("weighting.name", "'magic'", "one of aligned_mtl"),
    ),
    "window": ({"prediction": {"window": 100}}, ("prediction.window", "100", "multiple of 32")),
    "stride": ({"prediction": {"window": 64, "stride": 65}}, ("prediction", "a stride of at most the window (64)")),
    "rate": ({"training": {"learning_rate": "fast"}}, ("training.learning_rate", "'fast'", "number")),
}


@pytest.mark.parametrize("fault", CONFIGS)
def test_configuration(fault: str, town: Town, program: Callable[..., tuple[int, str]]) -> None:
    changes, words = CONFIGS[fault]
    out = town.folder / "out"
    outcome = program("train", town.spec, "--root", town.root, "--out", out, "--config", config(town, **changes))
    assert_says(outcome, "Error: ", *words)
    assert not out.exists()


def test_unknown_method(town: Town, program: Callable[..., tuple[int, str]]) -> None:
    common = ("train", town.spec, "--root", town.root, "--out", town.folder / "out", "--config", config(town))
    assert_says(program(*common, "--method", "magic"), "--method", "magic", "one of equal")
    assert_says(program(*common, "--method", "equall"), "--method", "'equall'", "Did you mean equal?")
    assert_says(program(*common, "--seed", "-1"), "--seed", "greater than or equal to 0", code=2)


# Trained runs, and images that do not match them


def image(folder: Path, bands: int = 3, dtype: str = "uint8", **place: Any) -> Path:
    return tiny.write_raster(folder / "ortho.tif", np.full((bands, 64, 64), 7, dtype=dtype), **place)


IMAGES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "bands": ({"bands": 2}, ("2 bands", "3 bands (red, green, blue)", "Map an image that has them")),
    "dtype": ({"dtype": "uint16"}, ("dtype uint16", "uint8", "Convert it")),
    "GSD": ({"pixel": 2.0}, ("pixels of 2 x 2 m", "about 0.5 x 0.5 m", "--res 0.5 --resampling cubic")),
    "degrees": (
        {"crs": CRS.from_epsg(4326), "west": 5.0, "north": 50.0, "pixel": 1e-5},
        ("in degrees", "--dst-crs EPSG:32631 --res 0.5"),
    ),
    "nowhere": ({"pixel": 0}, ("no georeference", "--gsd")),
}


@pytest.mark.parametrize("fault", IMAGES)
def test_image_that_does_not_match(fault: str, run: Path, program: Callable[..., tuple[int, str]]) -> None:
    how, words = IMAGES[fault]
    out = run.parent / "maps"
    assert_says(program("predict", run, image(run.parent, **how), "--out", out), "ortho.tif", *words)
    assert not out.exists()


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def misspell(path: Path) -> None:
    path.write_text(path.read_text().replace("epoch:", "epochs:", 1))


RUNS: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "damaged weights": (
        lambda run: damage(run / "model.safetensors"),
        ("model.safetensors", "SHA-256", "train it again"),
    ),
    "no weights": (lambda run: (run / "model.safetensors").unlink(), ("model.safetensors", "no file", "Train the run")),
    "no description": (lambda run: (run / "run.yaml").unlink(), ("weights without run.yaml", "give it again")),
    "misspelt description": (lambda run: misspell(run / "run.yaml"), ("run.yaml", "an unknown key")),
    "image truncated": (lambda run: damage(run.parent / "ortho.tif"), ("ortho.tif", "truncated or damaged")),
    "image missing": (lambda run: (run.parent / "ortho.tif").unlink(), ("ortho.tif", "no file")),
}


@pytest.mark.parametrize("fault", RUNS)
def test_run(fault: str, run: Path, program: Callable[..., tuple[int, str]]) -> None:
    breaking, words = RUNS[fault]
    path = image(run.parent)
    breaking(run)
    assert_says(program("predict", run, path, "--out", run.parent / "maps"), *words)
    assert not list(run.parent.glob("maps/*"))


OPTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "window": (("--window", "100"), ("--window", "multiple of 32")),
    "stride": (("--window", "64", "--stride", "65"), ("--window, --stride", "at most the window (64)")),
    "bands": (("--bands", "red"), ("--bands", "'red'", "numbers separated by commas")),
    "superscript": (("--bands", "1,²"), ("--bands", "'²'", "numbers separated by commas")),
    "band": (("--bands", "1,2,9"), ("3 bands", "the bands 1, 2, 9")),
}


@pytest.mark.parametrize("fault", OPTIONS)
def test_options(fault: str, run: Path, program: Callable[..., tuple[int, str]]) -> None:
    options, words = OPTIONS[fault]
    assert_says(program("predict", run, image(run.parent), "--out", run.parent / "maps", *options), *words)


def test_describing_a_folder_without_a_run_is_refused(tmp_path: Path, program: Callable[..., tuple[int, str]]) -> None:
    assert_says(program("describe", tmp_path), "a folder without run.yaml", "a training wrote")


# Places that cannot be written


def test_unwritable_outputs_are_named(town: Town, run: Path, program: Callable[..., tuple[int, str]]) -> None:
    out = ("--out", BELOW_A_FILE)
    messages = ("Error: /dev/null/below", "Not a directory", "Choose another folder", "choose another folder")
    for arguments in (
        ("predict", run, image(run.parent), *out),
        ("train", town.spec, "--root", town.root, *out, "--config", config(town)),
        ("synthesise", town.spec, *out, "--size", "64"),
        ("check", town.spec, "--root", town.root, "--report", BELOW_A_FILE / "report.json"),
    ):
        code, text = program(*arguments)
        assert code == 1, text
        assert messages[0] in text
        assert messages[1] in text
        assert messages[2] in text or messages[3] in text


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 200 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_leaves_no_partial_file(
    town: Town, run: Path, small_disk: Path, program: Callable[..., tuple[int, str]]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (3, 512, 512), np.uint8)
    large = tiny.write_raster(town.folder / "ortho.tif", noise)
    for arguments in (
        ("predict", run, large, "--out", small_disk / "maps"),
        ("train", town.spec, "--root", town.root, "--out", small_disk / "run", "--config", config(town)),
        ("synthesise", town.spec, "--out", small_disk / "town", "--size", "512"),
    ):
        code, text = program(*arguments)
        assert code == 1, text
        assert str(small_disk) in text
        assert "Free space" in text
        assert not (small_disk / "maps" / "height.tif").exists()
        for path in small_disk.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
