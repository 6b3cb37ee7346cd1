"""The real scene for benchmarks: its mosaic, runs trained on it, and scores of maps of it."""

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.merge import merge

from mtlaerial.config import PredictionSpec, load_dataset

SPEC = Path("config/datasets/autzen.yaml")
CONFIGS = [Path("config/config.yaml"), Path("config/autzen.yaml"), Path("benchmarks/full_scene.yaml")]
THREADS = 2


def trained(root: Path, folder: Path) -> Path:
    """Train the full network for some minutes unless the run exists; return the run's folder."""
    from mtlaerial.pipeline.single_run import SingleRun, train_single

    run = folder / "run"
    if not (run / "model.safetensors").exists():
        train_single(SingleRun(SPEC, root, run, CONFIGS, method="full"))
    return run


def untrained(folder: Path, accelerator: str) -> Path:
    """Write a run of the full network with random weights."""
    from predict_memory import write_run

    from mtlaerial.config import D3NetSpec

    run = folder / "untrained"
    write_run(run, gsd=gsd(), accelerator=accelerator, **D3NetSpec().model_dump())
    return run


def gsd() -> float:
    """Return the scene's metres per pixel."""
    return load_dataset(SPEC).gsd or 1.0


def mosaic(root: Path, folder: Path, layer: str, size: int | None = None) -> Path:
    """Write all tiles of a layer as one raster, or its north-western corner of ``size`` x ``size`` cells."""
    path = folder / (f"{layer}_{size}.tif" if size else f"{layer}.tif")
    if not path.exists():
        tiles = sorted((root / layer).glob("*.tif"))
        pixels, transform = merge(tiles)
        pixels = pixels[:, :size, :size]
        with rasterio.open(tiles[0]) as tile:
            profile = {**tile.profile, "height": pixels.shape[1], "width": pixels.shape[2], "transform": transform}
        folder.mkdir(parents=True, exist_ok=True)
        with rasterio.open(path, "w", **profile) as out:
            out.write(pixels)
    return path


def suited(run: Path) -> PredictionSpec:
    """Return the specification of ``mtlaerial predict --blend even``."""
    from mtlaerial.prediction.settings import prediction_for

    return prediction_for(run, blend="even")


def predictor_of(run: Path, prediction: PredictionSpec, precision: str, threads: int = THREADS) -> Any:
    """Return the predictor of a run in a precision that may differ from its training's."""
    import torch

    from mtlaerial.models.batchnorm_folding import folded
    from mtlaerial.prediction.engines.torch_engine import TorchEngine
    from mtlaerial.prediction.map_network import single_pass
    from mtlaerial.prediction.predictor import Predictor

    predictor = Predictor(run, prediction)
    torch.set_num_threads(threads)
    engine = TorchEngine(folded(predictor.runs[0].model), precision, predictor.device)
    predictor.network.forward = single_pass(engine)
    return predictor


def predict(run: Path, image: Path, maps: Path, prediction: PredictionSpec, precision: str) -> None:
    """Write maps of an image, with heights as the network gives them: they are scored."""
    exact = prediction.model_copy(update={"height_encoding": "float32", "negative_heights": True})
    predictor_of(run, exact, precision).predict_image(image, maps)


def scored(maps: Path, root: Path, folder: Path, size: int) -> dict[str, float]:
    """Return OA over pixels, and MAE in metres over the cells of the heights, which are two pixels wide."""
    with rasterio.open(mosaic(root, folder, "height", size // 2)) as source:
        height = source.read(1, masked=True)
    with rasterio.open(mosaic(root, folder, "labels", size)) as source:
        labels = source.read(1)
    cells = pixels(maps / "height.tif").reshape(size // 2, 2, size // 2, 2).mean(axis=(1, 3))
    values = [entry.values[0] for entry in load_dataset(SPEC).labels.classes]
    predicted = np.array(values)[pixels(maps / "semantics.tif")]
    return {"oa": float((predicted == labels)[labels != 0].mean()), "mae": float(np.abs(cells - height).mean())}


def pixels(path: Path) -> np.ndarray:
    """Read a map; its heights are in metres, whatever they are stored in."""
    with rasterio.open(path) as source:
        stored, scale = source.read(1), source.scales[0]
    return stored if scale == 1 else stored * scale
