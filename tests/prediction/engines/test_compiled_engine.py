"""Engines that compile: each size once, a window at a time, and maps equal to torch's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from torch import Tensor

from mtlaerial.config import PredictionSpec
from mtlaerial.models import Network, build_model
from mtlaerial.prediction.engines import compiled_engine
from mtlaerial.prediction.engines.compiled_engine import SIZES, CompiledEngine, Program, Window
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.runs.ensemble import make_ensemble
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.networks import network_spec
from support.small_runs import drawn_run

SPEC = PredictionSpec(window=64, stride=48, activation="softmax", image_maps=True)
Folders = dict[str, list[Path]]


class Eager(CompiledEngine):
    """An engine whose program is the network itself; it keeps the shapes that it compiles and runs."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.network, self.compiled = network, 0
        self.ran: list[tuple[int, ...]] = []

    def compile(self, graph: bytes) -> Program:
        self.compiled += 1

        def run(window: Window) -> Mapping[str, Any]:
            self.ran.append(window.shape)
            with torch.inference_mode():
                return {task: output.numpy() for task, output in self.network(torch.from_numpy(window)).items()}

        return run


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> Eager:
    monkeypatch.setattr(compiled_engine, "onnx_graph", lambda *_: b"")
    return Eager(build_model(tiny.model_spec(), 3, {"semantics": 6, "height": 1}).eval())


def drawn_images(number: int, rows: int = 32, columns: int = 64) -> Tensor:
    images = torch.rand(number, 3, rows, columns, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return images.contiguous(memory_format=torch.channels_last)


def test_each_size_is_compiled_once_and_windows_run_one_by_one(eager: Eager) -> None:
    images = drawn_images(3)
    for number in (3, 1, 2):
        outputs = eager(images[:number])
        with torch.inference_mode():
            expected = eager.network(images[:number])
        for task, output in expected.items():
            torch.testing.assert_close(outputs[task], output, atol=1e-5, rtol=1e-5)
    assert eager.compiled == 1
    assert eager.ran == [(1, 3, 32, 64)] * 6
    eager(drawn_images(1, 64, 32))
    eager(images)
    assert eager.compiled == 2


def test_programs_of_all_views_of_a_window_stay_and_no_more(eager: Eager) -> None:
    sizes = [32 * number for number in range(1, SIZES + 2)]
    for size in [*sizes, *reversed(sizes[1:])]:
        eager(drawn_images(1, 32, size))
    assert eager.compiled == SIZES + 1
    eager(drawn_images(1, 32, sizes[0]))
    assert eager.compiled == SIZES + 2


def test_outputs_outlive_the_next_window(eager: Eager) -> None:
    first = eager(drawn_images(1))["height"]
    before = first.clone()
    eager(-drawn_images(1))
    torch.testing.assert_close(first, before, atol=0, rtol=0)


@pytest.fixture(scope="module")
def both(statistics: Statistics, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an ensemble of two networks, one with heights that are never negative."""
    folder = tmp_path_factory.mktemp("members")
    plans = {
        "fusion": tiny.run_plan(height_unit=5, height_non_negative=True).model_copy(
            update={"model": network_spec("gated")}
        ),
        "d3net": tiny.run_plan(seed=1),
    }
    runs = [drawn_run(folder / name, plan, statistics, seed) for seed, (name, plan) in enumerate(plans.items())]
    make_ensemble(runs, folder / "both")
    return folder / "both"


def maps_of(run: Path, tiles: Folders, folder: Path, **changes: Any) -> dict[str, np.ndarray]:
    """Return the maps of the test tile by name."""
    spec = PredictionSpec.parse({**SPEC.model_dump(), **changes}, "prediction")
    Predictor(run, spec).predict_tiles(tiles["test"], folder)
    maps = {}
    for path in folder.glob("*/*.tif"):
        with rasterio.open(path) as raster:
            maps[path.stem] = raster.read(1)
    return maps


@pytest.mark.full("compiles two networks for three sizes")
@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_maps_are_those_of_torch(engine: str, both: Path, tiles: Folders, tmp_path: Path) -> None:
    pytest.importorskip(engine)
    settings: dict[str, Any] = {"views": ["turns", "scales"], "spread": ["samples", "overlap"], "batch": 2}
    settings["layers"] = ["probabilities", "mutual_information"]
    expected = maps_of(both, tiles, tmp_path / "torch", **settings)
    maps = maps_of(both, tiles, tmp_path / engine, engine=engine, **settings)
    assert maps.keys() == expected.keys()
    assert "height_std" in maps
    for name, values in maps.items():
        if values.dtype == np.uint8:
            assert (values == expected[name]).mean() > 0.999, name
        else:
            np.testing.assert_allclose(values, expected[name], atol=1e-3, err_msg=name)


@pytest.mark.full("compiles a network twice")
@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_maps_are_the_same_each_time(engine: str, run_folder: Path, tiles: Folders, tmp_path: Path) -> None:
    pytest.importorskip(engine)
    first, second = (maps_of(run_folder, tiles, tmp_path / name, engine=engine) for name in ("first", "second"))
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name], err_msg=name)


@pytest.mark.full("compiles a network")
def test_bf16_rounds_and_needs_its_units(run_folder: Path, tiles: Folders, tmp_path: Path) -> None:
    openvino = pytest.importorskip("openvino")
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        with pytest.raises(Exception, match=r"prediction\.precision: found bf16-mixed with openvino, on a processor"):
            maps_of(run_folder, tiles, tmp_path, engine="openvino", precision="bf16-mixed")
        return
    exact = maps_of(run_folder, tiles, tmp_path / "exact")["image_height"]
    rounded = maps_of(run_folder, tiles, tmp_path / "rounded", engine="openvino", precision="bf16-mixed")
    # bf16 has 8 binary digits; some layers add up their errors.
    np.testing.assert_allclose(rounded["image_height"], exact, atol=0.1 * float(np.abs(exact).max()))
    assert np.abs(rounded["image_height"] - exact).max() > 1e-3 * np.abs(exact).max()
