"""Exported networks: outputs in ONNX Runtime, PyTorch and Deepness, and the STAC description."""

import errno
import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import rasterio
import torch

import mtlaerial
from mtlaerial.config import TASKS, EncoderDecoderSpec, PredictionSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.export import export_run, exporting
from mtlaerial.export.mlm import stac_item
from mtlaerial.export.network import Contents
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.runs.imported import Original
from mtlaerial.runs.run import RunDescription, load_description, read_description
from mtlaerial.runs.start import StartRecord
from support import tiny
from support.shared import made_once

SHAPES = [(1, 64, 64), (3, 96, 160), (2, 192, 64)]
"""Images, rows, columns; other than those of the example that graphs are traced with."""
WINDOWS = PredictionSpec.fitted()
"""Prediction settings of a network trained on patches of that size."""
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def files(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return exported files by name: both outputs in both formats."""

    def make(folder: Path) -> None:
        export_run(run_folder, "onnx", folder / "new" / "town.onnx")
        export_run(run_folder, "pt2", folder / "new" / "town.pt2")

    folder = made_once(tmp_path_factory, "exported", make) / "new"
    return {name: folder / f"town.{name}" for name in ("onnx", "pt2")}


@pytest.fixture(scope="module")
def single(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return files of one output each, as Deepness takes it, by task."""

    def make(folder: Path) -> None:
        for task in TASKS:
            export_run(run_folder, "onnx", folder / "new" / f"{task}.onnx", task)

    folder = made_once(tmp_path_factory, "exported_single", make) / "new"
    return {task: folder / f"{task}.onnx" for task in TASKS}


@pytest.fixture(scope="module")
def pt2(files: dict[str, Path]) -> tuple[torch.nn.Module, str]:
    """Return the network in ``town.pt2`` and the description within, both read once: it takes seconds."""
    inside = {"stac_item": ""}
    return torch.export.load(files["pt2"], extra_files=inside).module(), inside["stac_item"]


@pytest.fixture(scope="module")
def network(run_folder: Path) -> MapNetwork:
    """Return the network as ``mtlaerial predict`` runs it."""
    return Predictor(run_folder, PredictionSpec(window=64, stride=48, activation="softmax")).network


def session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options)


def images(count: int, rows: int, columns: int) -> np.ndarray:
    return np.random.default_rng(rows).integers(0, 256, (count, 3, rows, columns)).astype(np.float32)


def predicted(network: MapNetwork, image: np.ndarray) -> dict[str, np.ndarray]:
    stacked = network(torch.from_numpy(image))
    return {task: stacked[:, network.slice_of(task)].numpy() for task in network.outputs}


def assert_same(outputs: Mapping[str, Any], expected: Mapping[str, np.ndarray]) -> None:
    assert list(outputs) == list(expected)
    for task, values in expected.items():
        np.testing.assert_allclose(outputs[task], values, rtol=1e-3, atol=1e-5, err_msg=task)


@pytest.mark.slow("torch's exporter, imported and used for the first time")
@pytest.mark.parametrize("shape", SHAPES)
def test_onnx_gives_what_predict_gives(files: dict[str, Path], network: MapNetwork, shape: tuple[int, ...]) -> None:
    image = images(*shape)
    outputs = session(files["onnx"]).run(list(TASKS), {"image": image})
    assert_same(dict(zip(TASKS, outputs, strict=True)), predicted(network, image))
    np.testing.assert_allclose(outputs[0].sum(axis=1), 1, rtol=1e-5)


@pytest.mark.full("exports and runs a network twice")
def test_no_data_is_seen_as_predict_sees_it(files: dict[str, Path], network: MapNetwork) -> None:
    image = images(1, 64, 96)
    image[:, :, 10:30, 20:50] = np.nan
    outputs = session(files["onnx"]).run(list(TASKS), {"image": image})
    assert np.isfinite(outputs[1]).all()
    assert_same(dict(zip(TASKS, outputs, strict=True)), predicted(network, image))


def test_an_onnx_file_is_valid_and_says_nothing_of_the_machine(files: dict[str, Path]) -> None:
    onnx.checker.check_model(onnx.load(files["onnx"]), full_check=True)
    for path in files.values():
        assert str(Path(mtlaerial.__file__).parent).encode() not in path.read_bytes(), path.name
    shapes = {
        value.name: value.shape
        for value in (*session(files["onnx"]).get_inputs(), *session(files["onnx"]).get_outputs())
    }
    axes = {"image": 3, "semantics": 6, "height": 1}
    assert shapes == {name: ["batch", channels, "height", "width"] for name, channels in axes.items()}


@pytest.mark.parametrize("shape", SHAPES)
def test_pt2_gives_what_predict_gives(
    pt2: tuple[torch.nn.Module, str], network: MapNetwork, shape: tuple[int, ...]
) -> None:
    image = images(*shape)
    with torch.no_grad():  # torch before 2.13 records operations on the weights
        output = pt2[0](torch.from_numpy(image))
    assert_same(output, predicted(network, image))


def test_pt2_refuses_images_of_a_wrong_size(pt2: tuple[torch.nn.Module, str]) -> None:
    with pytest.raises(AssertionError, match="Guard failed"):
        pt2[0](torch.zeros(1, 3, 80, 64))


def as_deepness(path: Path, tiles: np.ndarray) -> np.ndarray:
    """Return the output for tiles (N, H, W, C), processed as in the documentation and code of Deepness."""
    model = session(path)
    (entry,), (output,) = model.get_inputs(), model.get_outputs()
    texts = {key: value for key, value in model.get_modelmeta().custom_metadata_map.items() if key != "stac_item"}
    meta = {key: json.loads(value) for key, value in texts.items()}
    batch, channels, rows, columns = entry.shape
    assert isinstance(batch, str)  # any number of tiles
    assert rows == columns == output.shape[2] == output.shape[3] == meta["tile_size"]
    values = np.float32(tiles[..., :channels] * 1.0 / 255.0)
    mean, std = (np.array(meta[f"standardization_{key}"], dtype=np.float32) for key in ("mean", "std"))
    (result,) = model.run(None, {entry.name: np.transpose((values - mean) / std, (0, 3, 1, 2))})
    if meta["model_type"] == "Segmentor":
        result[result < meta["seg_thresh"]] = 0
        return np.argmax(result, axis=1)
    assert meta["model_type"] == "Regressor"
    return result[:, 0] * meta["reg_output_scaling"]


@pytest.mark.full("exports two networks")
def test_deepness_gets_our_classes_and_heights(single: dict[str, Path], network: MapNetwork) -> None:
    image = images(2, WINDOWS.window, WINDOWS.window)
    expected = predicted(network, image)
    tiles = image.transpose(0, 2, 3, 1).astype(np.uint8)
    np.testing.assert_allclose(as_deepness(single["height"], tiles), expected["height"][:, 0], rtol=1e-3, atol=1e-5)
    first, second = np.sort(expected["semantics"], axis=1)[:, -1], np.sort(expected["semantics"], axis=1)[:, -2]
    clear = first > 1.001 * second
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(
        as_deepness(single["semantics"], tiles)[clear], expected["semantics"].argmax(axis=1)[clear]
    )


@pytest.mark.full("exports two networks")
def test_deepness_is_told_names_pixel_size_and_overlap(
    files: dict[str, Path], single: dict[str, Path], run_folder: Path
) -> None:
    statistics = load_description(run_folder).statistics
    for task, names in (("semantics", [entry.name for entry in statistics.classes]), ("height", ["height"])):
        meta = session(single[task]).get_modelmeta().custom_metadata_map
        assert json.loads(meta["class_names"]) == {str(code): name for code, name in enumerate(names)}
        assert json.loads(meta["resolution"]) == 50
        assert json.loads(meta["tile_size"]) == WINDOWS.window
        overlap = json.loads(meta["tiles_overlap"])
        assert isinstance(overlap, int)
        assert 0 <= overlap / 100 * WINDOWS.window - (WINDOWS.window - WINDOWS.stride) < WINDOWS.window / 100
    assert "model_type" not in session(files["onnx"]).get_modelmeta().custom_metadata_map


SINGLE = [pytest.param("single", task, marks=pytest.mark.full("exports two networks")) for task in TASKS]


@pytest.mark.parametrize(("exported", "name"), [("files", "onnx"), ("files", "pt2"), *SINGLE])
def test_the_description_has_what_the_extension_requires(
    request: pytest.FixtureRequest, exported: str, name: str
) -> None:
    """By the JSON schemas of STAC 1.1 and of MLM."""
    path = request.getfixturevalue(exported)[name]
    item = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
    assert (item["type"], item["stac_version"], item["geometry"]) == ("Feature", "1.1.0", None)
    assert "https://stac-extensions.github.io/mlm/v1.5.1/schema.json" in item["stac_extensions"]
    assert item["links"] == []
    asset, properties = item["assets"]["model"], item["properties"]
    assert "mlm:model" in asset["roles"]
    assert asset["mlm:artifact_type"] == ("torch.export.save" if name == "pt2" else "onnx")
    assert asset["file:size"] == path.stat().st_size
    assert asset["file:checksum"] == "1220" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert (path.parent / asset["href"]).samefile(path)
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


@pytest.fixture
def untrained(run_folder: Path, tmp_path: Path) -> Path:
    """Return the folder of a run of heights without weights."""
    folder = tmp_path / "run"
    folder.mkdir()
    text = (run_folder / "run.yaml").read_text(encoding="utf-8")
    (folder / "run.yaml").write_text(text.replace("  - semantics\n", "", 1), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "model.safetensors: found no file; expected the run's weights"),
        ({"task": "semantics"}, "--task: found semantics; expected a task of the run: height"),
        ({"out": Path("town.pt")}, "--out: found town.pt; expected a name that ends in .onnx"),
        ({"format": "pt2", "out": Path("town.onnx")}, "--out: found town.onnx; expected a name that ends in .pt2"),
    ],
)
def test_errors_name_the_fault(untrained: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, DataError), match=re.escape(message)):
        export_run(untrained, **options)
    assert [path.name for path in untrained.iterdir()] == ["run.yaml"]


@pytest.mark.parametrize("model", ["swinv2_tiny_window8_256", "swin_base_patch4_window7_224.ms_in22k"])
def test_networks_that_the_exporter_does_not_finish_are_refused_for_images_of_any_size(
    untrained: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both hung: their padding to whole windows is a nested remainder of the image's size."""
    encoder = EncoderDecoderSpec.parse({"encoder": {"name": "timm", "model": model}}, "model")

    def described(run: Path) -> RunDescription:
        description = read_description(run)
        return description.model_copy(update={"plan": description.plan.model_copy(update={"model": encoder})})

    monkeypatch.setattr(exporting, "read_description", described)
    for options in ({"format": "pt2"}, {"format": "pt2", "task": "height"}, {}):
        with pytest.raises(
            ConfigError, match=f"the encoder timm/{model}, which torch's exporter .* --format onnx --task"
        ):
            export_run(untrained, **options)
    with pytest.raises(DataError, match="the run's weights"):  # it goes on with images of one size
        export_run(untrained, task="height")


def test_without_the_packages_it_says_how_to_get_them(untrained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "find_spec", lambda name: None if name == "onnxscript" else name)
    with pytest.raises(ConfigError, match=r"no package onnxscript; .* pip install 'mtlaerial\[export\]'"):
        export_run(untrained)


def test_a_full_disk_leaves_what_was_there(run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(program: object, path: Path, *_: object) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(exporting, "traced", lambda *_: None)
    monkeypatch.setattr(exporting, "save_onnx", half)
    (tmp_path / "town.onnx").write_bytes(b"before")
    with pytest.raises(DataError, match=r"town\.onnx: found no space left on device"):
        export_run(run_folder, "onnx", tmp_path / "town.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["town.onnx"]
    assert (tmp_path / "town.onnx").read_bytes() == b"before"
