"""The contract of networks in their runs: training, resuming, prediction and export, whatever encoder and decoder."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import rasterio
import torch
from torch import Tensor

from mtlaerial.config import PredictionSpec
from mtlaerial.config.weighting import REGISTRY
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.export import export_run
from mtlaerial.export.formats import save_onnx
from mtlaerial.export.network import Contents, ExportedNetwork, traced
from mtlaerial.models.height_heads import build_height_head
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.runs.loading import load_run
from mtlaerial.runs.run import save_description
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.train import train
from mtlaerial.training.trainer import Trainer
from support import networks, tiny
from support.tiny import Folders
from support.trainings import Killed, assert_same_run, kill_after
from support.weightings import OPTIONS

EXACT = {"height_encoding": "float32", "negative_heights": True}
WINDOW = PredictionSpec(window=tiny.SIZE, stride=tiny.SIZE, activation="softmax", **EXACT)


@pytest.fixture(scope="module", params=networks.RUNS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def run(name: str, tiles: Folders, statistics: Statistics, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a trained run of both tasks; not to be written to."""
    folder, plan = tmp_path_factory.mktemp("run"), networks.plan(name)
    train(tiny.job(plan, statistics, tiles["train"], tiles["val"], folder))
    save_description(folder, plan, statistics)
    return folder


@pytest.fixture(scope="module")
def network(run: Path) -> MapNetwork:
    return Predictor(run, WINDOW).network


def pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read()


def test_a_window_s_map_is_the_network_s_output(run: Path, city: Dataset, tmp_path: Path) -> None:
    image, predictor = city.files("image", "city_4")[0], Predictor(run, WINDOW)
    predictor.predict_image(image, tmp_path)
    with torch.inference_mode():
        plan = predictor.description.plan
        outputs = predictor.runs[0].model(torch.from_numpy(pixels(image)).float()[None] / 127.5 - 1)
    np.testing.assert_array_equal(pixels(tmp_path / "semantics.tif")[0], outputs["semantics"][0].argmax(0).numpy())
    expected = build_height_head(plan.training).values(outputs["height"])[0].numpy() * 5  # training.height_unit
    np.testing.assert_allclose(pixels(tmp_path / "height.tif"), expected, rtol=1e-3, atol=1e-3)


def test_maps_of_dropout_passes_have_deviations(run: Path, city: Dataset, tmp_path: Path) -> None:
    passes = WINDOW.model_copy(update={"dropout_passes": 2, "window": 64, "stride": 48})
    Predictor(run, passes).predict_image(city.files("image", "city_4")[0], tmp_path)
    deviations = pixels(tmp_path / "height_std.tif")
    assert (deviations > 0).mean() > 0.9
    assert np.isfinite(deviations).all()


def test_a_killed_training_resumes_to_the_same_bytes(
    name: str, run: Path, tiles: Folders, statistics: Statistics, tmp_path: Path
) -> None:
    job = tiny.job(networks.plan(name), statistics, tiles["train"], tiles["val"], tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        kill_after(patch, 1)
        with pytest.raises(Killed):
            train(job)
    train(job)
    assert_same_run(tmp_path, run)


def predicted(network: MapNetwork, image: np.ndarray) -> dict[str, np.ndarray]:
    stacked = network(torch.from_numpy(image))
    return {task: stacked[:, network.slice_of(task)].numpy() for task in network.outputs}


def images(count: int, rows: int, columns: int) -> np.ndarray:
    return np.random.default_rng(rows).integers(0, 256, (count, 3, rows, columns)).astype(np.float32)


@pytest.mark.full("torch's exporter, for each network")
def test_exported_files_give_what_predict_gives(name: str, run: Path, network: MapNetwork, tmp_path: Path) -> None:
    loaded = load_run(run, torch.device("cpu"))
    plan = loaded.description.plan.model_copy(update={"prediction": WINDOW})
    loaded = replace(loaded, description=loaded.description.model_copy(update={"plan": plan}))
    contents = Contents(loaded.description, plan.tasks)
    program = traced(ExportedNetwork(loaded, contents), contents)
    from_pt2, session = program.module(), None
    if not name.startswith(
        "swin"
    ):  # ONNX takes a minute: tests/models/encoders/test_swin_v2.py has that of the encoder
        save_onnx(program, tmp_path / "town.onnx", contents, {})
        session = onnxruntime.InferenceSession(tmp_path / "town.onnx")
    for count, rows, columns in ((2, 2, 2), (3, 5, 2)):  # the example of the trace is 2 images of 2 by 3
        image = images(count, rows * contents.multiple, columns * contents.multiple)
        expected = predicted(network, image)
        assert_same(from_pt2(torch.from_numpy(image)), expected)
        if session:
            assert_same(dict(zip(expected, session.run(list(expected), {"image": image}), strict=True)), expected)


def assert_same(outputs: Mapping[str, Any], expected: Mapping[str, np.ndarray]) -> None:
    for task, values in expected.items():
        np.testing.assert_allclose(torch.as_tensor(outputs[task]).detach(), values, rtol=1e-3, atol=1e-4, err_msg=task)


@pytest.mark.full("torch's exporter")
def test_a_file_of_one_task_has_what_its_head_takes_from_the_other(
    tiles: Folders, statistics: Statistics, tmp_path: Path
) -> None:
    plan = networks.plan("gated", epochs=1)
    train(tiny.job(plan, statistics, tiles["train"], [], tmp_path))
    save_description(tmp_path, plan, statistics)
    program = torch.export.load(export_run(tmp_path, "pt2", tmp_path / "height.pt2", "height"))
    names = set(program.state_dict)
    assert {name for name in names if "sources.semantics" in name}
    assert not {name for name in names if "heads.semantics" in name}
    image = images(1, 128, 192)
    (height,) = program.module()(torch.from_numpy(image)).values()
    expected = predicted(Predictor(tmp_path, WINDOW).network, image)["height"]
    np.testing.assert_allclose(height.detach(), expected, rtol=1e-3, atol=1e-4)


@pytest.fixture
def gradients(tiles: Folders, statistics: Statistics) -> Callable[..., Tensor]:
    """Return a function that gives the gradients of a step, in double precision, in evaluation mode."""

    def of_step(network: str, weighting: str, **training: object) -> Tensor:
        spec = {"name": weighting, **OPTIONS.get(weighting, {})}
        plan = networks.plan(network, weighting=spec, batch=4, **training)
        trainer = Trainer(tiny.job(plan, statistics, tiles["train"], []))
        trainer.network.eval().double()
        normalise = trainer.update.batches.normalise
        trainer.update.batches.normalise = lambda image: normalise(image).double()
        trainer.optimiser.zero_grad()
        trainer.update.forward_backward(0, trainer.update.batches.draw(0))
        return torch.cat([parameter.grad.flatten() for parameter in trainer.network.parameters()])

    return of_step


def weightings() -> list[Any]:
    """Return the names of all weightings; two are in the quick tier, which has all kinds with D3Net."""
    quick = ["equal", "mgda_ub"]
    full = pytest.mark.full("two are enough")
    return [
        *quick,
        *(pytest.param(name, marks=full) for name in sorted(set(REGISTRY.targets()) - {*quick, "graddrop"})),
    ]


# GradDrop masks each element of the features at random: another mask for other passes.
@pytest.mark.parametrize("weighting", weightings())
@pytest.mark.parametrize("network", ["gated"])
def test_every_weighting_adds_passes_up_to_the_batch(
    gradients: Callable[..., Tensor], network: str, weighting: str
) -> None:
    whole, parts = (gradients(network, weighting, accumulate=number) for number in (1, 2))
    assert whole.norm() > 0
    assert (whole - parts).norm() < 1e-5 * whole.norm()


@pytest.mark.parametrize("network", networks.LOSSES)
def test_every_loss_adds_passes_up_to_the_batch(gradients: Callable[..., Tensor], network: str) -> None:
    """With weights that follow from the gradients of the tasks."""
    whole, parts = (gradients(network, "cagrad", accumulate=number) for number in (1, 2))
    assert whole.norm() > 0
    assert (whole - parts).norm() < 1e-5 * whole.norm()


@pytest.mark.full("large networks")
@pytest.mark.parametrize("weighting", ["equal", "cagrad", "graddrop"])
def test_a_weighting_of_each_kind_trains_every_network(
    gradients: Callable[..., Tensor], name: str, weighting: str
) -> None:
    gradient = gradients(name, weighting)
    assert gradient.isfinite().all()
    assert gradient.norm() > 0


@pytest.mark.full("torch's compiler")
def test_a_compiled_network_has_the_same_gradients(
    gradients: Callable[..., Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The compiler's own code generator takes a minute; what may break is before it.
    compiled = torch.nn.Module.compile
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: compiled(self, backend="aot_eager"))
    whole, fast = (gradients("gated", "equal", compile=value) for value in (False, True))
    assert (whole - fast).norm() < 1e-5 * whole.norm()
