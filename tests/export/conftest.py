"""Exported networks of a run."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mtlaerial.config import TASKS, PredictionSpec
from support.shared import made_once

if TYPE_CHECKING:
    import torch

    from mtlaerial.prediction.map_network import MapNetwork


@pytest.fixture(scope="session")
def files(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return exported files by name: both outputs in both formats."""
    from mtlaerial.export import export_run

    def make(folder: Path) -> None:
        export_run(run_folder, "onnx", folder / "new" / "town.onnx")
        export_run(run_folder, "pt2", folder / "new" / "town.pt2")

    folder = made_once(tmp_path_factory, "exported", make) / "new"
    return {name: folder / f"town.{name}" for name in ("onnx", "pt2")}


@pytest.fixture(scope="session")
def single(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return files of one output each, as Deepness takes it, by task."""
    from mtlaerial.export import export_run

    def make(folder: Path) -> None:
        for task in TASKS:
            export_run(run_folder, "onnx", folder / "new" / f"{task}.onnx", task)

    folder = made_once(tmp_path_factory, "exported_single", make) / "new"
    return {task: folder / f"{task}.onnx" for task in TASKS}


@pytest.fixture(scope="session")
def pt2(files: dict[str, Path]) -> "tuple[torch.nn.Module, str]":
    """Return the network in ``town.pt2`` and the description within, both read once: it takes seconds."""
    import torch

    inside = {"stac_item": ""}
    return torch.export.load(files["pt2"], extra_files=inside).module(), inside["stac_item"]


@pytest.fixture(scope="session")
def network(run_folder: Path) -> "MapNetwork":
    """Return the network as ``mtlaerial predict`` runs it."""
    from mtlaerial.prediction.predictor import Predictor

    return Predictor(run_folder, PredictionSpec(window=64, stride=48)).network
