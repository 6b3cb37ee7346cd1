"""torch.compile as an engine: one shape for all batches, outputs that stay, and maps equal to torch's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from torch import Tensor

from mtlaerial.config import PredictionSpec
from mtlaerial.errors import DeviceError
from mtlaerial.prediction.engines.inductor_engine import InductorEngine
from mtlaerial.prediction.predictor import Predictor
from support.tiny import Folders

SPEC = PredictionSpec(window=64, stride=48, activation="softmax", batch=2, image_maps=True)


@pytest.fixture
def shapes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[int, ...]]:
    """Let the compiled code be that of the network, whose outputs' memory is written to by the next call.

    Returns
    -------
    list
        The shapes that it is called with.
    """
    called: list[tuple[int, ...]] = []

    def compile_nothing(network: Callable[[Tensor], Any], mode: str, dynamic: bool) -> Callable[[Tensor], Any]:
        last: list[Tensor] = []

        def run(image: Tensor) -> Any:
            for output in last:
                output.fill_(torch.nan)
            called.append(tuple(image.shape))
            outputs = network(image)
            last[:] = outputs.values()
            return outputs

        return run

    monkeypatch.setattr(torch, "compile", compile_nothing)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    return called


def heights(run: Path, tiles: Folders, folder: Path, **changes: Any) -> np.ndarray:
    Predictor(run, SPEC.model_copy(update=changes)).predict_tiles(tiles["test"], folder)
    with rasterio.open(folder / tiles["test"][0].name / "image_height.tif") as raster:
        values: np.ndarray = raster.read(1)
    return values


@pytest.mark.full("compiles a network")
def test_all_batches_have_one_shape_and_outputs_stay(
    run_folder: Path, tiles: Folders, tmp_path: Path, shapes: list[tuple[int, ...]]
) -> None:
    expected = heights(run_folder, tiles, tmp_path / "torch", views=("mirror",))
    found = heights(run_folder, tiles, tmp_path / "inductor", views=("mirror",), engine="inductor")
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert set(shapes) == {(2, 3, 64, 64)}


def test_a_compiler_that_fails_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from torch._dynamo.exc import TorchDynamoException

    def compile_and_fail(*_: Any, **__: Any) -> Callable[[Tensor], Any]:
        def run(image: Tensor) -> Any:
            raise TorchDynamoException("No working C++ compiler found")

        return run

    monkeypatch.setattr(torch, "compile", compile_and_fail)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    engine = InductorEngine(torch.nn.Identity(), "32-true", torch.device("cpu"))
    with pytest.raises(DeviceError, match=r"prediction\.engine: found inductor, which fails: No working C\+\+ comp"):
        engine(torch.zeros(1, 3, 32, 32))


@pytest.mark.full("Inductor compiles a network")
def test_maps_are_those_of_torch(
    run_folder: Path, tiles: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    expected = heights(run_folder, tiles, tmp_path / "torch")
    found = heights(run_folder, tiles, tmp_path / "inductor", engine="inductor")
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert (tmp_path / "cache").exists()
