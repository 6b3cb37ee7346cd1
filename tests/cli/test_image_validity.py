"""One data set in three forms, over the command line: an RGBA image, one with a mask, one with a no-data tag."""

import logging
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
import yaml

from mtlaerial.datasets.catalog import Dataset
from support import tiny
from support.masks import NODATA, Way, write_masked

WAYS: tuple[Way, ...] = ("alpha", "mask", "tag")


class Form:
    """The generated city with a corner of every image invalid, checked, trained on and mapped."""

    def __init__(self, folder: Path, city: Dataset, way: Way) -> None:
        self.folder, self.root = folder, folder / "data"
        self.spec, self.config = folder / "town.yaml", folder / "config.yaml"
        folder.mkdir()
        for tile in city.spec.tiles:
            self._write_image(city.files("image", tile)[0], way)
            for layer in ("height", "labels"):
                target = self.root / layer / f"{tile}.tif"
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(city.files(layer, tile)[0].read_bytes())  # type: ignore[arg-type]  # a layer
        self.spec.write_text(yaml.safe_dump(city.spec.model_dump(mode="json", exclude_none=True)))
        config = {
            "run": {"datasets": ["town"], "methods": ["equal"], "seeds": [0]},
            "datasets": {"town": {"spec": "town.yaml", "root": "data"}},
            "models": {"tiny": tiny.MODEL},
            "methods": {"equal": {"tasks": ["semantics", "height"], "model": "tiny"}},
            "training": {**tiny.TRAINING, "epochs": 1, "selection": "best"},
        }
        self.config.write_text(yaml.safe_dump(config))

    def _write_image(self, path: Path, way: Way) -> None:
        with rasterio.open(path) as source:
            place = {"west": source.transform.c, "north": source.transform.f}
            image, valid = np.maximum(source.read(), NODATA + 1), np.ones(source.shape, bool)
        valid[:48, :24] = False
        write_masked(self.root / "images" / path.name, image, valid, way, **place)


@pytest.fixture
def output(
    program: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Callable[..., str]:
    """Return a function that runs a command in a folder and returns its output and its messages."""
    caplog.set_level(logging.INFO)

    def run(folder: Path, *arguments: object) -> str:
        monkeypatch.chdir(folder)
        caplog.clear()
        code, text = program(*arguments)
        assert code == 0, text
        return text + caplog.text

    return run


@pytest.mark.full("three trainings")
def test_an_image_with_alpha_one_with_a_mask_and_one_with_a_tag_give_the_same_maps(
    city: Dataset, tmp_path: Path, output: Callable[..., str]
) -> None:
    texts, files = {}, {}
    for way in WAYS:
        form = Form(tmp_path / way, city, way)
        checked = output(form.folder, "check", form.spec, "--root", form.root)
        output(form.folder, "train", form.spec, "--root", form.root, "--config", form.config, "--out", "run")
        described = output(form.folder, "describe", "run")
        image = form.root / "images" / "city_4.tif"
        predicted = output(form.folder, "predict", "run", image, "--out", "maps")
        assert "12.5 % of the pixels are no image" in predicted
        assert re.search(r"without image +12.5 % of the training pixels", described)
        assert len(re.findall(r"12\.5 %", checked)) >= 4
        texts[way] = described
        # The STAC Item names the file's size and time, and the cost of a prediction is never the same.
        maps = [path for path in (form.folder / "maps").iterdir() if path.suffix in (".tif", ".qml")]
        paths = [*(form.folder / "run").rglob("*.tif"), *maps]
        paths += [form.folder / "run" / name for name in ("model.safetensors", "best.safetensors", "run.yaml")]
        files[way] = {path.relative_to(form.folder): path.read_bytes() for path in paths}
        assert len(files[way]) >= 14
    assert texts["alpha"] == texts["mask"] == texts["tag"]
    assert files["alpha"] == files["mask"] == files["tag"]
