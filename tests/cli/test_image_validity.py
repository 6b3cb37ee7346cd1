"""One data set in three forms, over the command line: an RGBA image, one with a mask, one with a no-data tag."""

import re
import subprocess
import sys
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

    def run(self, *arguments: object) -> str:
        """Run a command in the folder and return its output."""
        command = [sys.executable, "-m", "mtlaerial", *map(str, arguments)]
        result = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=300, check=False)
        assert result.returncode == 0, result.stderr
        return result.stdout + result.stderr


@pytest.mark.full("three trainings, each command in a process of its own")
def test_an_image_with_alpha_one_with_a_mask_and_one_with_a_tag_give_the_same_maps(
    city: Dataset, tmp_path: Path
) -> None:
    texts, files = {}, {}
    for way in WAYS:
        form = Form(tmp_path / way, city, way)
        checked = form.run("check", form.spec, "--root", form.root)
        form.run("train", form.spec, "--root", form.root, "--config", form.config, "--out", "run")
        described = form.run("describe", "run")
        image = form.root / "images" / "city_4.tif"
        predicted = form.run("predict", "run", image, "--out", "maps")
        assert "12.5 % of the pixels are no image" in predicted
        assert re.search(r"without image +12.5 % of the training pixels", described)
        assert len(re.findall(r"12\.5 %", checked)) >= 4
        texts[way] = described
        paths = [*(form.folder / "run").rglob("*.tif"), *(form.folder / "maps").iterdir()]
        paths += [form.folder / "run" / name for name in ("model.safetensors", "best.safetensors", "run.yaml")]
        files[way] = {path.relative_to(form.folder): path.read_bytes() for path in paths}
        assert len(files[way]) >= 14
    assert texts["alpha"] == texts["mask"] == texts["tag"]
    assert files["alpha"] == files["mask"] == files["tag"]
