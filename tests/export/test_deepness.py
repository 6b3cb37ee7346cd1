"""Exported networks in Deepness: outputs, and the keys that it reads."""

import json
from pathlib import Path

import numpy as np
import pytest

from mtlaerial.config import PredictionSpec
from mtlaerial.errors import ConfigError
from mtlaerial.export import exporting
from mtlaerial.export.deepness import deepness_metadata
from mtlaerial.export.network import Contents
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.runs.run import load_description
from support.exported import WINDOWS, images, predicted, session


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


def test_deepness_is_told_the_windows_of_the_run(run_folder: Path) -> None:
    run = load_description(run_folder)
    prediction = PredictionSpec(window=512, stride=300)
    run = run.model_copy(update={"plan": run.plan.model_copy(update={"prediction": prediction})})
    meta = deepness_metadata(Contents(run, ("height",), exporting._tile(run)))
    assert json.loads(meta["tile_size"]) == 512
    assert json.loads(meta["tiles_overlap"]) == 42  # (512 - 300) / 512, rounded up


def test_windows_that_do_not_fit_the_network_are_refused(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = load_description(run_folder)
    model = run.plan.model.model_copy(update={"reduction": 2})
    plan = run.plan.model_copy(update={"prediction": PredictionSpec(window=96, stride=96), "model": model})
    monkeypatch.setattr(exporting, "read_description", lambda _: run.model_copy(update={"plan": plan}))
    with pytest.raises(ConfigError, match=r"plan.prediction.window of the run: found 96; expected a multiple of 64"):
        exporting.export_run(run_folder, "onnx", tmp_path / "height.onnx", "height")


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
