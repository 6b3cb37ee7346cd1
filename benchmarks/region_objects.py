"""A generated region through prediction and vectorising: seconds per Mpixel, and peak memory of each process.

The image has buildings in its west and a mask of noise in its east, which a network of single pixels maps as they are:
what remains is reading, blending, meters, cloud-optimised maps, and objects.

    python benchmarks/region_objects.py [--sizes 8000 30000] [--suffix .gpkg] [--json FILE]
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from affine import Affine
from apart import alone
from noisy_region import BLOCK, GSD, codes_and_heights
from predict_memory import CLASSES, write_run
from record import save

from mtlaerial.system.memory import peak_process_memory_mb

if TYPE_CHECKING:
    from torch import Tensor

WINDOW, OVERLAP, THREADS = 1024, 256, 2
OBJECT, STEP = 1, 0.1
"""Code of the objects' class, and metres per step of the image's second band."""


def main() -> None:
    """Measure every size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[8000])
    parser.add_argument("--covered", type=float, default=0.4, help="share of the noisy mask that is objects")
    parser.add_argument("--suffix", default=".gpkg", help="format of the objects")
    parser.add_argument("--scratch", type=Path, help="folder for the files, of some 4 GB at 30,000 pixels")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    print("| size (px²) | step | s/Mpixel | CPU s/Mpixel | peak (MB) | objects |")
    print("| ---: | --- | ---: | ---: | ---: | ---: |")
    for size in options.sizes:
        with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
            write_image(Path(folder) / "image.tif", size, options.covered)
            write_run(Path(folder) / "run", GSD)
            for work in (predict, vectorise):
                with alone() as pool:
                    row = pool.submit(measured, work, Path(folder), options.suffix).result()
                rows.append({"size": size, "step": work.__name__, **row})
                print(line(rows[-1]), flush=True)
    save(
        options.json,
        "region_objects",
        rows,
        window=WINDOW,
        overlap=OVERLAP,
        threads=THREADS,
        suffix=options.suffix,
        covered=options.covered,
    )


def write_image(path: Path, size: int, covered: float) -> None:
    """Write an image by blocks: whether a pixel is an object's, its height, nothing."""
    place = {"crs": "EPSG:32632", "transform": Affine(GSD, 0, 600_000, 0, -GSD, 5_000_000)}
    profile = {"width": size, "height": size, "count": 3, "dtype": "uint8", "tiled": True, "interleave": "pixel"}
    rng = np.random.default_rng(0)
    with rasterio.open(path, "w", driver="GTiff", compress="zstd", BIGTIFF="IF_SAFER", **profile, **place) as out:
        for top in range(0, size, BLOCK):
            codes, heights = codes_and_heights(rng, min(BLOCK, size - top), size, covered)
            bands = [codes * 255, heights // round(100 * STEP), np.zeros_like(codes)]
            out.write(np.stack(bands).astype(np.uint8), window=((top, top + len(codes)), (0, size)))


def pointwise(windows: "Tensor") -> "Tensor":
    """Return the scores of all classes and the height of each pixel, by its bands."""
    import torch

    outputs = torch.zeros(len(windows), CLASSES + 1, *windows.shape[2:])
    outputs[:, OBJECT] = (windows[:, 0] > 127).float()
    outputs[:, 0] = 1 - outputs[:, OBJECT]
    outputs[:, CLASSES] = windows[:, 1].float() * STEP
    return outputs


def predict(folder: Path, suffix: str) -> int:
    """Map the image as `mtlaerial predict` does, with a network of single pixels; return 0 objects."""
    import torch

    from mtlaerial.config import PredictionSpec
    from mtlaerial.prediction.blending.blender import Blender
    from mtlaerial.prediction.blending.windows import even
    from mtlaerial.prediction.predictor import Predictor

    predictor = Predictor(folder / "run", PredictionSpec(threads=THREADS))
    predictor.blender = Blender(pointwise, CLASSES + 1, even(WINDOW, OVERLAP, 32), 1, torch.device("cpu"))
    predictor.predict_image(folder / "image.tif", folder / "maps")
    return 0


def vectorise(folder: Path, suffix: str) -> int:
    """Write the objects of the maps, and return their number."""
    from mtlaerial.config.objects import ObjectsSpec
    from mtlaerial.objects.vectorise import vectorise as write_objects

    return write_objects([folder / "maps"], folder / f"objects{suffix}", ObjectsSpec(classes=(f"class {OBJECT}",)))


def measured(work: Callable[[Path, str], int], folder: Path, suffix: str) -> dict[str, Any]:
    """Return seconds per Mpixel and peak memory of a step, which this process does alone."""
    begun, used = time.perf_counter(), time.process_time()
    objects = work(folder, suffix)
    with rasterio.open(folder / "image.tif") as image:
        mpixel = image.width * image.height / 1e6
    return {
        "seconds": (time.perf_counter() - begun) / mpixel,
        "cpu": (time.process_time() - used) / mpixel,
        "peak": peak_process_memory_mb(),
        "objects": objects,
    }


def line(row: dict[str, Any]) -> str:
    """Return a row of the table."""
    costs = f"{row['seconds']:.3f} | {row['cpu']:.3f} | {row['peak']:,.0f}"
    return f"| {row['size']:,} | {row['step']} | {costs} | {row['objects'] or '–'} |"


if __name__ == "__main__":
    main()
