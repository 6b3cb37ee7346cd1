"""Writing of maps: COGs made at once beside plain GeoTIFFs that GDAL copies, and prediction into either.

The same heights and classes are written in the blocks of the engine: first as float32 GeoTIFFs that GDAL's COG driver
then copies with deflate, as maps were written before, then as layers are written. CPU seconds of the whole process and
bytes, medians of some runs that take turns. Heights are generated: buildings on flat ground, with noise as networks'
outputs have it; --heights and --classes take maps instead.

Then the engine predicts an image with a network that costs next to nothing, into COGs and into plain GeoTIFFs.

    python benchmarks/writing.py [--size 4096] [--runs 3] [--noise 0.3] [--heights FILE --classes FILE] [--json FILE]
"""

import argparse
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
import torch
from affine import Affine
from engine import CHANNELS, OVERLAP, WINDOW, pointwise
from numpy.typing import NDArray
from predict_memory import write_image, write_run
from rasterio.crs import CRS
from rasterio.shutil import copy as copy_raster
from record import save
from scipy.ndimage import gaussian_filter

from mtlaerial.maps.cog_writer import open_cog
from mtlaerial.maps.layer import Category, Palette, RasterLayer
from mtlaerial.rasters.geotiff import create_raster
from mtlaerial.rasters.grid import Grid

THREADS = 2
ROWS, COLUMNS = 768, 2048
"""Size of the blocks: rows that a row of windows finishes, and columns of a block of columns."""
CLASSES = Palette(tuple(Category(code, f"class {code}", (40 * code, 90, 200)) for code in range(6)))
HEIGHT = RasterLayer("height", ("height",), "int16", -32768, "metre", 0.01, lowest=0.0, resampling="average")
LERC = RasterLayer(
    "lerc", ("height",), "float32", math.nan, "metre", codec="lerc", precision=0.01, lowest=0.0, resampling="average"
)
CODES = RasterLayer("classes", ("class",), "uint8", 255, style=CLASSES)
PLAIN = {"count": 1, "tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "zstd", "zstd_level": 1}
FLOATS: dict[str, Any] = {"dtype": "float32", "nodata": math.nan, "predictor": 3}
BYTES: dict[str, Any] = {"dtype": "uint8", "nodata": 255, "predictor": 1}


class Way(NamedTuple):
    """A way of writing a layer: what it writes, which layer, and how."""

    what: str
    values: NDArray[Any]
    write: Callable[[Path, NDArray[Any]], None]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--noise", type=float, default=0.3, help="metres, of generated heights")
    parser.add_argument("--heights", type=Path)
    parser.add_argument("--classes", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    heights, classes = generated(options.size, options.noise)
    if options.heights and options.classes:
        heights, classes = (read(path) for path in (options.heights, options.classes))
    with tempfile.TemporaryDirectory() as folder:
        rows = costs(heights, classes.astype(np.uint8), options.runs, Path(folder))
        rows += speeds(options.size, options.runs, Path(folder))
    save(options.json, "writing", rows, threads=THREADS, shape=list(heights.shape), noise=options.noise)


def generated(size: int, noise: float) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return heights in metres and classes of a town: smooth surfaces, sharp edges, and noise of a pixel's scale."""
    random = np.random.default_rng(0)
    heights = gaussian_filter(random.normal(0, 1, (size, size)).astype(np.float32), 1.5)
    heights *= noise / heights.std()
    classes = np.zeros((size, size), np.uint8)
    for _ in range(size * size // 12_000):
        row, column = random.integers(0, size, 2)
        down, across = random.integers(12, 90, 2)
        part = slice(row, row + down), slice(column, column + across)
        heights[part] += random.uniform(2, 9)
        classes[part] = random.integers(1, 6)
    return heights, classes


def read(path: Path) -> NDArray[Any]:
    """Return a map's values in its unit, NaN or its no-data where there is none."""
    with rasterio.open(path) as source:
        values = source.read(1, masked=True)
        if source.dtypes[0] == "uint8":
            return values.filled(255)
        return (values.astype(np.float32) * np.float32(source.scales[0])).filled(np.nan)


def blocks(values: NDArray[Any]) -> Iterator[tuple[int, int, NDArray[Any]]]:
    """Yield blocks of a map as the engine delivers them."""
    for left in range(0, values.shape[1], COLUMNS):
        for top in range(0, values.shape[0], ROWS):
            yield top, left, values[top : top + ROWS, left : left + COLUMNS]


def grid_of(values: NDArray[Any]) -> Grid:
    """Return a grid with a CRS for a map."""
    return Grid(CRS.from_epsg(32631), Affine(0.5, 0, 500_000, 0, -0.5, 5_400_000), *values.shape)


def write_and_copy(path: Path, values: NDArray[Any]) -> None:
    """Write a plain GeoTIFF, and copy it to a COG."""
    plain, profile = path.with_suffix(".plain.tif"), BYTES if values.dtype == np.uint8 else FLOATS
    with create_raster(plain, grid_of(values), **PLAIN, **profile) as out:
        for top, left, block in blocks(values):
            rows, columns = block.shape
            out.write(block, 1, window=rasterio.windows.Window(left, top, columns, rows))
    resampling = "mode" if values.dtype == np.uint8 else "average"
    copy_raster(plain, path, driver="COG", compress="deflate", blocksize=512, overview_resampling=resampling)
    plain.unlink()


def write_at_once(layer: RasterLayer) -> Callable[[Path, NDArray[Any]], None]:
    """Return the function that writes a map as a layer."""

    def write(path: Path, values: NDArray[Any]) -> None:
        with open_cog(path, grid_of(values), layer, {}) as cog:
            for block in blocks(values):
                cog.write(*block)

    return write


def costs(heights: NDArray[Any], classes: NDArray[Any], runs: int, folder: Path) -> list[dict[str, Any]]:
    """Compare CPU seconds and bytes of the ways to write the same maps."""
    ways = [
        Way("heights, copied", heights, write_and_copy),
        Way("heights, int16 centimetres", heights, write_at_once(HEIGHT)),
        Way("heights, LERC", heights, write_at_once(LERC)),
        Way("classes, copied", classes, write_and_copy),
        Way("classes, at once", classes, write_at_once(CODES)),
    ]
    seconds: dict[str, list[float]] = {way.what: [] for way in ways}
    sizes: dict[str, int] = {}
    with rasterio.Env(GDAL_CACHEMAX=64 * 2**20, GDAL_NUM_THREADS=THREADS):
        for _ in range(runs):
            for way in ways:
                begun = time.process_time()
                way.write(folder / "map.tif", way.values)
                seconds[way.what].append(time.process_time() - begun)
                sizes[way.what] = (folder / "map.tif").stat().st_size
    rows = []
    for way in ways:
        base = next(name for name in sizes if name.split(",")[0] == way.what.split(",")[0])
        cpu = statistics.median(seconds[way.what])
        times = cpu / statistics.median(seconds[base])
        share = sizes[way.what] / sizes[base]
        row = {"what": way.what, "cpu_seconds": cpu, "mb": sizes[way.what] / 1e6, "cpu_ratio": times, "ratio": share}
        rows.append(row)
        print(f"{way.what}: {cpu:.2f} CPU s, {times:.2f} x; {row['mb']:.1f} MB, {share:.2f} x", flush=True)
    return rows


def speeds(size: int, runs: int, folder: Path) -> list[dict[str, Any]]:
    """Compare prediction into COGs with prediction into plain GeoTIFFs, with a network that costs next to nothing."""
    from mtlaerial.config import PredictionSpec
    from mtlaerial.prediction.shown_maps import Storage

    torch.set_num_threads(THREADS)
    image = folder / "image.tif"
    write_image(image, size)
    write_run(folder / "run")
    ways: dict[str, Storage | None] = {"plain GeoTIFFs": None, "COGs": Storage(PredictionSpec(), replace=True)}
    elapsed: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(runs + 1):
        for name, storage in ways.items():
            begun, cpu = time.perf_counter(), time.process_time()
            predict(image, folder, storage)
            elapsed[name].append((time.perf_counter() - begun, time.process_time() - cpu))
    rows = []
    for name, pairs in elapsed.items():
        wall, cpu = (statistics.median(values) for values in zip(*pairs[1:], strict=True))  # the first warms up
        speed = size**2 / 1e6 / wall
        row = {"what": f"predict to {name}", "mpixel_per_second": speed, "cpu_seconds": cpu}
        rows.append(row)
        ratio = speed / rows[0]["mpixel_per_second"]
        print(f"predict to {name}: {speed:.1f} Mpixel/s, {ratio:.2f} x; {cpu:.2f} CPU s", flush=True)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    return rows


def predict(image: Path, folder: Path, storage: Any) -> None:
    """Make the maps of an image with the engine."""
    from mtlaerial.config import PredictionSpec
    from mtlaerial.models.height_heads import LinearHead
    from mtlaerial.models.normalisation import Normalisation
    from mtlaerial.prediction.blending.blender import Blender
    from mtlaerial.prediction.blending.windows import even
    from mtlaerial.prediction.map_files import contents_of, open_maps
    from mtlaerial.prediction.map_network import MapNetwork
    from mtlaerial.prediction.shown_maps import Map
    from mtlaerial.prediction.strip_reader import strip_reader
    from mtlaerial.rasters.geotiff import open_raster
    from mtlaerial.rasters.validity import MaskedBands
    from mtlaerial.runs.run import load_description

    description = load_description(folder / "run")
    network = MapNetwork(lambda _: [], Normalisation(0, 255), PredictionSpec(), description.outputs, LinearHead(1))
    blender = Blender(smooth, CHANNELS, even(WINDOW, OVERLAP, 32), 1, torch.device("cpu"))
    with open_raster(image) as source:
        grid = Grid.of(source)
        maps = [Map(of.layer.name, of, grid) for of in contents_of(network)]
        read = strip_reader(image, MaskedBands(source, source.indexes), (0, 255))
        with open_maps(folder / "maps", description, {}, network, grid, maps, storage) as targets:
            for _ in blender.run(read, source.height, source.width, targets, scratch=folder):
                pass


def smooth(windows: torch.Tensor) -> torch.Tensor:
    """Return the outputs of :func:`engine.pointwise` with heights of some metres, as maps have them."""
    outputs = pointwise(windows)
    outputs[:, -1] *= 0.01
    return outputs


if __name__ == "__main__":
    main()
