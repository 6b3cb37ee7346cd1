"""The peers' side of the comparison: each library used as its documentation shows. Runs in the peers' environment.

Steps that a library leaves to its user are added here as cheaply as possible; comments name them.
"""

from pathlib import Path
from typing import Any

import measuring
import network
import numpy as np
import rasterio
import segmentation_models_pytorch as smp
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader
from torchgeo.datasets import RasterDataset, stack_samples
from torchgeo.samplers import GridGeoSampler, RandomGeoSampler


class Images(RasterDataset):
    """Any GeoTIFFs."""

    filename_glob = "*.tif"


class Labels(Images):
    """GeoTIFFs of class codes."""

    is_image = False


def sampling(root: str, patch: int, batch: int, batches: int, workers: int, warp: bool) -> dict[str, Any]:
    """Measure torchgeo's random patches of image and labels.

    It warps every file whose transform differs in any digit from GDAL's suggestion, as these files' does; without
    ``warp`` they are opened directly, which is correct as they share one CRS and grid.
    """
    if not warp:
        Images._load_warp_file = lambda self, path: rasterio.open(path)
    dataset = Images(Path(root) / "images") & Labels(Path(root) / "labels")
    sampler = RandomGeoSampler(dataset, size=patch, length=batch * (batches + 1))
    loader = DataLoader(dataset, batch, sampler=sampler, num_workers=workers, collate_fn=stack_samples)
    loading = iter(loader)

    def begin() -> None:
        nonlocal loading
        loading = iter(loader)
        next(loading)  # the workers' start does not count

    def draw() -> None:
        for _ in range(batches):
            next(loading)

    figures = measuring.timed(draw, before=begin)
    return figures if not workers else {**figures, "above_rest_mb": None}  # the workers' memory is not measured


def training(patch: int, batch: int) -> dict[str, Any]:
    """Measure a plain training loop over segmentation-models-pytorch's U-Net with the encoder of ours, float32."""
    model = smp.Unet("densenet121", encoder_weights=None, classes=network.CLASSES + 1)
    size = measuring.size_of(model, patch)
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-4, betas=(0.5, 0.999))
    images, heights = torch.rand(batch, 3, patch, patch), torch.rand(batch, patch, patch)
    labels = torch.randint(network.CLASSES, (batch, patch, patch))

    def step() -> None:
        optimiser.zero_grad()
        outputs = model(images)
        loss = torch.nn.functional.cross_entropy(outputs[:, :-1], labels)
        loss = loss + torch.nn.functional.l1_loss(outputs[:, -1], heights)
        loss.backward()
        optimiser.step()

    return {**measuring.timed(step), **size}


def terratorch(image: str, folder: str, window: int, stride: int, batch: int) -> dict[str, Any]:
    """Measure TerraTorch's tiled inference; it leaves reading and writing to its user: by rasterio."""
    from terratorch.tasks.tiled_inference import tiled_inference

    model = network.build()

    def predict() -> None:
        with rasterio.open(image) as source:
            profile, pixels = source.profile, _normal(torch.from_numpy(source.read()))
        scores = tiled_inference(model, pixels[None], crop=window, stride=stride, batch_size=batch)[0]
        _write(Path(folder), profile, scores[:-1].argmax(dim=0).byte().numpy(), scores[-1].numpy())

    return measuring.timed(predict, warm=0)


def geoai(image: str, folder: str, window: int, stride: int, batch: int) -> dict[str, Any]:
    """Measure GeoAI's ``predict_geotiff``: from file to file, classes and height as two bands of one."""
    from geoai.inference import predict_geotiff

    def maps(scores: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.stack([scores[:-1].argmax(axis=0).astype(np.float32), scores[-1]])

    options = {"tile_size": window, "overlap": window - stride, "batch_size": batch, "device": "cpu", "verbose": False}
    channels = {
        "num_classes": network.CLASSES + 1,
        "preprocess_fn": lambda tile: tile / 127.5 - 1,
        "postprocess_fn": maps,
    }
    model, out = network.build(), f"{folder}/geoai.tif"
    return measuring.timed(lambda: predict_geotiff(model, image, out, **options, **channels), warm=0)


def torchgeo(image: str, folder: str, window: int, stride: int, batch: int) -> dict[str, Any]:
    """Measure torchgeo's ``GridGeoSampler``; it leaves merging to its user: each patch overwrites those before."""
    model, dataset = network.build(), Images(image)
    with rasterio.open(image) as source:
        profile, shape, transform = source.profile, source.shape, source.transform

    @torch.inference_mode()
    def predict() -> None:
        classes, heights = np.zeros(shape, np.uint8), np.zeros(shape, np.float32)
        sampler = GridGeoSampler(dataset, size=window, stride=stride)
        for sample in DataLoader(dataset, batch, sampler=sampler, collate_fn=stack_samples):
            scores = model(_normal(sample["image"]))
            for score, (x, y, _) in zip(scores, sample["bounds"], strict=True):
                left, top = (round(start) for start in ~transform * (x.start, y.stop))
                place = np.s_[max(top, 0) : top + window, left : left + window]
                rows, columns = classes[place].shape
                classes[place] = score[:-1, -rows:, :columns].argmax(dim=0)
                heights[place] = score[-1, -rows:, :columns]
        _write(Path(folder), profile, classes, heights)

    return measuring.timed(predict, warm=0)


def _normal(image: Tensor) -> Tensor:
    return image / 127.5 - 1


def _write(folder: Path, profile: dict[str, Any], classes: NDArray[np.uint8], heights: NDArray[np.float32]) -> None:
    """Write uncompressed maps, which takes the least time."""
    for name, values in {"semantics": classes, "height": heights}.items():
        with rasterio.open(
            folder / f"{name}.tif", "w", **{**profile, "count": 1, "dtype": values.dtype, "compress": None}
        ) as out:
            out.write(values, 1)


if __name__ == "__main__":
    MEASUREMENTS = (sampling, training, network.alone, terratorch, geoai, torchgeo)
    PACKAGES = ("torchgeo", "segmentation-models-pytorch", "terratorch", "geoai-py", "rasterio")
    measuring.answer({measure.__name__: measure for measure in MEASUREMENTS}, PACKAGES)
