"""Several images in one call: a folder for each, resumption, failures that stop nothing, an index, addresses."""

import json
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import rasterio

from support import tiny
from support.command_line import assert_says

Program = Callable[..., tuple[int, str]]
FILES = ["height.qml", "height.tif", "semantics.qml", "semantics.tif", "stac_item.json"]


@pytest.fixture(autouse=True)
def all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def picture(folder: Path, name: str, seed: int = 0, **place: object) -> Path:
    array = np.random.default_rng(seed).integers(1, 255, (3, 64, 64), np.uint8)
    return tiny.write_raster(folder / name, array, **place)  # type: ignore[arg-type]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for seed, name in enumerate(("a.tif", "b.tif")):
        picture(tmp_path / "images", name, seed, west=tiny.WEST + 100 * seed)
    return tmp_path / "images"


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def times(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*.tif")}


def test_several_images_get_a_folder_each_and_a_collection(images: Path, run: Path, program: Program) -> None:
    out = images.parent / "maps"
    assert program("predict", run, images, "--out", out)[0] == 0
    assert files(out) == ["a", "b", "collection.json", "prediction_cost.json"]
    assert files(out / "a") == files(out / "b") == FILES
    with rasterio.open(images / "b.tif") as image, rasterio.open(out / "b" / "height.tif") as heights:
        assert heights.transform == image.transform
    collection = json.loads((out / "collection.json").read_text())
    items = [link["href"] for link in collection["links"] if link["rel"] == "item"]
    assert items == ["./a/stac_item.json", "./b/stac_item.json"]
    boxes = [json.loads((out / name / "stac_item.json").read_text())["bbox"] for name in "ab"]
    overall = [min(box[0] for box in boxes), min(box[1] for box in boxes), max(box[2] for box in boxes)]
    assert collection["extent"]["spatial"]["bbox"][0][:3] == overall
    assert collection["extent"]["spatial"]["bbox"][1:] == boxes
    # A later call adds to it; maps that no run or another one made are left out.
    (out / "z").mkdir()
    (out / "z" / "stac_item.json").write_text("{}")
    program("predict", run, picture(images, "c.tif", 3), images / "a.tif", "--out", out)
    links = json.loads((out / "collection.json").read_text())["links"]
    assert [link["href"] for link in links if link["rel"] == "item"] == [f"./{name}/stac_item.json" for name in "abc"]


@pytest.mark.full("predicts several times")
def test_one_image_has_its_maps_straight_in_the_folder(images: Path, run: Path, program: Program) -> None:
    assert program("predict", run, images / "a.tif", "--out", images.parent / "maps")[0] == 0
    assert files(images.parent / "maps") == sorted([*FILES, "prediction_cost.json"])


@pytest.mark.full("predicts several times")
def test_finished_images_are_skipped_and_changed_ones_are_not(
    images: Path, run: Path, program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    out = images.parent / "maps"

    def finished(*options: str) -> int:
        """Return how many images a call skips."""
        caplog.clear()
        assert program("predict", run, images, "--out", out, *options)[0] == 0
        numbers = re.findall(r"(\d) of 2 images were finished and are skipped", caplog.text)
        return int(numbers[0]) if numbers else 0

    assert finished() == 0
    before = times(out)
    assert finished() == 2
    assert times(out) == before
    # Other maps: one that is missing, those of an image that was written again, and of another setting.
    (out / "b" / "height.tif").unlink()
    assert finished() == 1
    assert (out / "b" / "height.tif").exists()
    os.utime(images / "a.tif", ns=(0, 0))
    assert finished() == 1
    assert finished("--heights", "float32") == 0
    assert finished("--heights", "float32") == 2


@pytest.mark.full("predicts several times")
def test_maps_without_their_item_or_of_another_image_are_not_finished(
    images: Path, run: Path, program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    """As a kill leaves them: the Item is written last."""
    out, command = images.parent / "maps", ("predict", run, images, "--out", images.parent / "maps")
    program(*command)
    (out / "a" / "stac_item.json").unlink()
    (out / "b" / "height.tif").write_bytes((out / "a" / "height.tif").read_bytes())
    assert program(*command, "--replace")[0] == 0
    assert "were finished" not in caplog.text
    with rasterio.open(out / "b" / "height.tif") as source:
        assert source.tags()["IMAGE"] == "b.tif"


def test_an_image_that_fails_is_named_and_the_others_go_on(
    images: Path, run: Path, program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = picture(images, "broken.tif", compress="deflate")
    damaged.write_bytes(damaged.read_bytes()[:3000])
    picture(images, "coarse.tif", pixel=2.0)
    out = images.parent / "maps"
    command = ("predict", run, images, images / "nowhere.tif", "--out", out)
    paths = [str(images / name) for name in ("broken.tif", "coarse.tif", "nowhere.tif")]
    assert_says(program(*command), f"Error: INPUT: found 3 of 5 images that have no new maps ({', '.join(paths)})")
    reasons = ("found TIFF", "found pixels of 2 x 2 m", "found no file")
    for path, reason in zip(paths, reasons, strict=True):
        assert f"Not predicted: {path}: {reason}" in caplog.text
    assert files(out) == ["a", "b", "collection.json"]
    assert program(*command)[0] == 1
    assert "2 of 5 images were finished" in caplog.text


def test_two_images_of_one_name_are_refused_before_any_work(images: Path, run: Path, program: Program) -> None:
    other = picture(images / "other", "a.tif")
    out = images.parent / "maps"
    assert_says(program("predict", run, images, other, "--out", out), str(images / "a.tif"), str(other), "Rename one")
    assert not out.exists()


@pytest.fixture
def server(images: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the address of a server on this machine that has the images."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *arguments: None)
    handler = partial(SimpleHTTPRequestHandler, directory=str(images))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


@pytest.mark.full("predicts several times")
def test_images_from_the_web_are_fetched_predicted_and_removed(
    images: Path, run: Path, program: Program, server: str, caplog: pytest.LogCaptureFixture
) -> None:
    out = images.parent / "maps"
    assert program("predict", run, f"{server}/a.tif", "--out", out / "one")[0] == 0
    assert files(out / "one") == sorted([*FILES, "prediction_cost.json"])
    program("predict", run, images / "a.tif", "--out", out / "local")
    with rasterio.open(out / "one" / "height.tif") as one, rasterio.open(out / "local" / "height.tif") as local:
        np.testing.assert_array_equal(one.read(), local.read())
        assert one.tags()["IMAGE"] == "a.tif"
    several = ("predict", run, f"{server}/a.tif", f"{server}/nowhere.tif", f"{server}/b.tif", "--out", out / "several")
    assert_says(program(*several), f"1 of 3 images that have no new maps ({server}/nowhere.tif)")
    assert f"Not predicted: {server}/nowhere.tif: found the answer 404" in caplog.text
    assert files(out / "several") == ["a", "b", "collection.json"]
    assert files(out / "several" / "a") == FILES
    # Known by their address alone, so that nothing is fetched again.
    (images / "a.tif").unlink()
    program(*several)
    assert "2 of 3 images were finished" in caplog.text


def test_what_is_fetched_passes_the_checks_of_files(images: Path, run: Path, program: Program, server: str) -> None:
    (images / "list.tif").write_text('<VRTDataset rasterXSize="1" rasterYSize="1"></VRTDataset>')
    out = images.parent / "maps"
    assert_says(program("predict", run, f"{server}/list.tif", "--out", out), "a VRT, which lists other files to read")
    assert not out.exists()
