"""Our side of the comparison. Runs in the project's environment and folder, with ``benchmarks`` on the module path."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import measuring
import network
import torch
from predict_memory import write_run
from torch import Tensor
from weightings import Case, build_trainers

from mtlaerial.config import Augmentation, PredictionSpec, Task
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.sampling import PatchSampler
from mtlaerial.system.malloc import keep_freed_memory
from mtlaerial.tiles.tile import load_tiles


def sampling(tiles: str, patch: int, batch: int, batches: int, rotation: float) -> dict[str, Any]:
    """Measure random patches of image, height and labels with masks, mirrored and rotated."""
    keep_freed_memory()  # as a training does
    folders = sorted(folder for folder in Path(tiles).iterdir() if folder.is_dir())
    loaded = load_tiles(folders, torch.device("cpu"), budget_mb=4096)
    sampler = PatchSampler(loaded, patch, Augmentation(flip=True, rotation=rotation))
    generator = torch.Generator().manual_seed(0)

    def draw() -> None:
        for _ in range(batches):
            sampler.draw(batch, generator)

    return measuring.timed(draw)


def training(precision: str) -> dict[str, Any]:
    """Measure steps of the trainer on D3Net at the original's size, with patches drawn from a generated tile."""
    case, step = Case("equal", ""), iter(range(100))
    with tempfile.TemporaryDirectory() as folder:
        trainer = build_trainers(Path(folder), "full", [case], precision=precision)[case]
        size = measuring.size_of(trainer.network, trainer.plan.training.patch)
        return {**measuring.timed(lambda: trainer.update(next(step))), **size}


def prediction(image: str, folder: str, window: int, stride: int, batch: int) -> dict[str, Any]:
    """Measure ``mtlaerial predict``: from a file to two compressed, cloud-optimised maps."""
    model = network.build().to(memory_format=torch.channels_last)

    def forward(images: Tensor) -> Iterator[Mapping[Task, Tensor]]:
        scores = model(images)
        yield {"semantics": scores[:, :-1], "height": scores[:, -1:]}

    write_run(Path(folder) / "run")
    spec = PredictionSpec(blend="even", window=window, stride=stride, batch=batch, activation="softmax")
    predictor = Predictor(Path(folder) / "run", spec)
    predictor.network.forward = forward
    return measuring.timed(lambda: predictor.predict_image(Path(image), Path(folder) / "maps"), warm=0)


if __name__ == "__main__":
    MEASUREMENTS = (sampling, training, network.alone, prediction)
    measuring.answer({measure.__name__: measure for measure in MEASUREMENTS}, ("mtlaerial", "rasterio"))
