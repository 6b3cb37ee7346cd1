"""Exported networks: outputs in ONNX Runtime and PyTorch."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import mtlaerial
from mtlaerial.config import TASKS
from mtlaerial.prediction.map_network import MapNetwork
from support.exported import SHAPES, assert_same, images, predicted, session


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
