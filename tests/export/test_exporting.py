"""Exported networks: outputs in ONNX Runtime and PyTorch."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import mtlaerial
from mtlaerial.config import TASKS, PredictionSpec
from mtlaerial.export.network import Contents, ExportedNetwork
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.runs.loading import load_run
from support.exported import SHAPES, assert_same, images, predicted, session


@pytest.mark.slow("torch's exporter, imported and used for the first time")
@pytest.mark.parametrize("shape", SHAPES)
def test_onnx_gives_what_predict_gives(files: dict[str, Path], network: MapNetwork, shape: tuple[int, ...]) -> None:
    image = images(*shape)
    outputs = session(files["onnx"]).run(list(TASKS), {"image": image})
    assert_same(dict(zip(TASKS, outputs, strict=True)), predicted(network, image))
    np.testing.assert_allclose(outputs[0].sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_probabilities_are_those_of_the_runs_activation(run_folder: Path, activation: str) -> None:
    prediction = PredictionSpec.parse({"activation": activation, "window": 64, "stride": 48}, "prediction")
    run = load_run(run_folder, torch.device("cpu"))
    plan = run.description.plan.model_copy(update={"prediction": prediction})
    run = replace(run, description=run.description.model_copy(update={"plan": plan}))
    image = images(1, 64, 96)
    with torch.no_grad():
        outputs = ExportedNetwork(run, Contents(run.description, TASKS))(torch.from_numpy(image))
    assert_same(outputs, predicted(Predictor(run_folder, prediction).network, image))


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
