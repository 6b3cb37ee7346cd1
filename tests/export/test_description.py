"""STAC description of exported networks, in and beside their files; the example of the documentation."""

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch

from mtlaerial.config import TASKS, EncoderDecoderSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.export.mlm import stac_item
from mtlaerial.export.network import Contents
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.runs.imported import Original
from mtlaerial.runs.run import load_description
from mtlaerial.runs.start import StartRecord
from support import tiny
from support.exported import assert_same, predicted, session

DOCS = Path(__file__).parents[2] / "docs"
SINGLE = [pytest.param(("single", task), marks=pytest.mark.full("exports two networks")) for task in TASKS]


@pytest.fixture
def exported(request: pytest.FixtureRequest) -> Path:
    """Return a file that was exported, by the name of its fixture and its own."""
    fixture, name = request.param
    return request.getfixturevalue(fixture)[name]


@pytest.mark.parametrize("exported", [("files", "onnx"), ("files", "pt2"), *SINGLE], indirect=True, ids="-".join)
def test_the_description_has_what_the_extension_requires(exported: Path) -> None:
    """By the JSON schemas of STAC 1.1 and of MLM."""
    item = json.loads(exported.with_name(f"{exported.name}.json").read_text(encoding="utf-8"))
    assert (item["type"], item["stac_version"], item["geometry"]) == ("Feature", "1.1.0", None)
    assert "https://stac-extensions.github.io/mlm/v1.5.1/schema.json" in item["stac_extensions"]
    assert item["links"] == []
    asset, properties = item["assets"]["model"], item["properties"]
    assert "mlm:model" in asset["roles"]
    assert asset["mlm:artifact_type"] == ("torch.export.save" if exported.suffix == ".pt2" else "onnx")
    assert asset["file:size"] == exported.stat().st_size
    assert asset["file:checksum"] == "1220" + hashlib.sha256(exported.read_bytes()).hexdigest()
    assert (exported.parent / asset["href"]).samefile(exported)
    assert properties["datetime"] is None
    assert {"start_datetime", "end_datetime", "mlm:architecture"} <= set(properties)
    assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_.\-\s]+[a-zA-Z0-9]", properties["mlm:name"])
    assert re.match(r"\d+\.\d+\.\d+", properties["mlm:framework_version"])
    assert properties["gsd"] == 0.5
    (given,) = properties["mlm:input"]
    assert given["bands"] == [band["name"] for band in asset["bands"]] == ["red", "green", "blue"]
    assert properties["mlm:hyperparameters"]["size_multiple"] == 32
    _require_arrays([given["input"], *(output["result"] for output in properties["mlm:output"])])
    assert properties["mlm:tasks"] == [task for output in properties["mlm:output"] for task in output["tasks"]]
    for output in properties["mlm:output"]:
        classes = output.get("classification:classes", [])
        number = 6 if output["name"] == "semantics" else 0
        assert [entry["value"] for entry in classes] == list(range(number))
        assert all(re.fullmatch(r"[0-9A-Za-z_-]+", entry["name"]) for entry in classes)
        assert all(re.fullmatch(r"[0-9A-F]{6}", entry["color_hint"]) for entry in classes)


def _require_arrays(arrays: list[dict[str, Any]]) -> None:
    for array in arrays:
        assert len(array["shape"]) == len(array["dim_order"]) == 4
        assert all(side == -1 or side > 0 for side in array["shape"])
        assert array["data_type"] == "float32"


@pytest.mark.parametrize("name", ["onnx", "pt2"])
def test_the_file_carries_its_description(files: dict[str, Path], pt2: tuple[torch.nn.Module, str], name: str) -> None:
    path = files[name]
    inside = pt2[1] if name == "pt2" else session(path).get_modelmeta().custom_metadata_map["stac_item"]
    beside = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
    for key in ("file:size", "file:checksum"):
        del beside["assets"]["model"][key]
    assert json.loads(inside) == beside


@pytest.mark.parametrize("source", ["lite0", "/home/me/lite0.pth"])
def test_the_description_says_what_the_training_began_with(run_folder: Path, source: str) -> None:
    run = load_description(run_folder)
    model = EncoderDecoderSpec.parse({"encoder": "efficientnet_lite0", "pretrained": source}, "model")
    start = StartRecord(kind="published", name="lite0", sha256="ab" * 32, licence="Apache-2.0", source="a book")
    changes = {"start": start, "plan": run.plan.model_copy(update={"model": model})}
    item = stac_item(Contents(run.model_copy(update=changes), TASKS), {})
    properties = item["properties"]
    expected = "lite0 (encoder), licence Apache-2.0, a book, SHA-256 abababababab…"
    assert (properties["mlm:pretrained"], properties["mlm:pretrained_source"]) == (True, expected)
    assert f"Initial weights: {expected}." in properties["description"]
    assert "/home/me" not in json.dumps(item)


def test_the_description_of_an_imported_run_omits_unknown_facts(run_folder: Path) -> None:
    facts = Original(checkpoint={"epoch": 20, "mtl_method": "eweights"})
    run = load_description(run_folder).model_copy(update={"imported": "d3net.pth.tar", "original": facts})
    properties = stac_item(Contents(run, TASKS), {})["properties"]
    assert not {"mlm:pretrained", "mlm:pretrained_source"} & set(properties)
    hyperparameters = properties["mlm:hyperparameters"]
    assert hyperparameters["training"] == "not known"
    assert hyperparameters["checkpoint"] == facts.checkpoint
    assert not {"weighting", "seed"} & set(hyperparameters)
    assert not {"pretrained", "initialisation"} & set(hyperparameters["model"])


def test_the_example_of_the_documentation_runs(
    files: dict[str, Path], network: MapNetwork, city: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "export.md").read_text(encoding="utf-8"), re.DOTALL)
    shutil.copy(files["onnx"], tmp_path / "town.onnx")
    image = city.files("image", "city_4")[0]
    shutil.copy(image, tmp_path / "ortho.tif")
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    with rasterio.open(image) as source:
        expected = predicted(network, source.read().astype(np.float32)[None])
    assert namespace["classes"].shape == (tiny.SIZE, tiny.SIZE)
    assert_same({task: namespace[task] for task in TASKS}, expected)
