"""Images that do not match the run, damaged runs, and wrong options on the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rasterio.crs import CRS

from mtlaerial.prediction.blending.blender import Blender
from support.command_line import assert_says, image

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
    "no bands": (("--bands", ""), ("--bands", "found ''", "numbers separated by commas")),
    "no range": (("--range", ""), ("--range", "found ''", "two numbers, the lower one first")),
    "superscript": (("--bands", "1,²"), ("--bands", "'²'", "numbers separated by commas")),
    "passes": (("--dropout-passes", "1"), ("Error: --dropout-passes: found 1",)),
    "batch": (("--batch", "some"), ("Error: --batch: found 'some'",)),
    "opposite flags": (
        ("--negative-heights", "--no-negative-heights"),
        ("Error: --negative-heights: found it beside --no-negative-heights",),
    ),
    "band": (("--bands", "1,2,9"), ("3 bands", "the bands 1, 2, 9")),
}


@pytest.mark.parametrize("fault", OPTIONS)
def test_options(fault: str, run: Path, program: Callable[..., tuple[int, str]]) -> None:
    options, words = OPTIONS[fault]
    assert_says(program("predict", run, image(run.parent), "--out", run.parent / "maps", *options), *words)


@pytest.mark.parametrize("place", ["maps", "places/maps"])
def test_an_interrupted_prediction_leaves_no_folder(
    place: str, run: Path, program: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Blender, "run", interrupted)
    before = set(run.parent.iterdir())
    path = image(run.parent)
    assert_says(program("predict", run, path, "--out", run.parent / place), "Interrupted", code=130)
    assert set(run.parent.iterdir()) == before | {path}


def test_describing_a_folder_without_a_run_is_refused(tmp_path: Path, program: Callable[..., tuple[int, str]]) -> None:
    assert_says(program("describe", tmp_path), "a folder without run.yaml", "a training wrote")
