"""The engine alone: Mpixel/s and memory with the network replaced by a function of single pixels.

Six class scores and a height per pixel, windows of 1024 pixels that overlap by a quarter, compressed GeoTIFFs of
classes and heights. The baseline is the direct way: sums and weights of the whole raster in memory, window after
window, then the maps. Images are generated.

With --virtual the engine also starts on a virtual raster of that size (in pixels, squared) and stops after a share of
it; memory and time per Mpixel are compared with those of a raster of a tenth of its side.

    python benchmarks/engine.py [--size 8192] [--runs 5] [--virtual 100000] [--share 0.02] [--json FILE]
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import torch
from affine import Affine
from apart import Watch, alone
from predict_memory import write_image, write_run
from record import median_seconds, save
from torch import Tensor

WINDOW, OVERLAP, THREADS = 1024, 256, 2
CHANNELS = 7


class Enough(Exception):
    """The requested share of the raster is done."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=8192)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--virtual", type=int, default=100_000)
    parser.add_argument("--share", type=float, default=0.02)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = speeds(options.size, options.runs, Path(folder))
        if options.virtual:
            rows += growth(options.virtual, options.share, Path(folder))
    save(options.json, "engine", rows, window=WINDOW, overlap=OVERLAP, threads=THREADS)


def speeds(size: int, runs: int, folder: Path) -> list[dict[str, Any]]:
    """Compare the engine with the baseline on one image, in separate processes."""
    image = folder / "image.tif"
    write_image(image, size)
    write_run(folder / "run")
    rows = []
    for name, work in (("whole sums in memory", predict_plainly), ("engine", predict)):
        with alone() as pool:
            row = pool.submit(timed, work, image, folder, size, runs).result()
        rows.append({"what": name, "size": size, **row})
        ratio = row["mpixel_per_second"] / rows[0]["mpixel_per_second"]
        print(
            f"{name}: {row['mpixel_per_second']:.1f} Mpixel/s, {row['above_rest_mb']:.0f} MB above rest; {ratio:.2f} x",
            flush=True,
        )
    return rows


def timed(work: Callable[[Path, Path], None], image: Path, folder: Path, size: int, runs: int) -> dict[str, Any]:
    """Return the median speed of some runs, and the peak memory above that at rest."""
    torch.set_num_threads(THREADS)
    watch = Watch()
    seconds = median_seconds(lambda: work(image, folder), runs)
    return {"mpixel_per_second": size**2 / 1e6 / seconds, "above_rest_mb": watch.above_rest_mb, "runs": runs}


def pointwise(windows: Tensor) -> Tensor:
    """Return seven channels, each of two bands."""
    bands = windows.float()
    outputs = torch.empty(len(windows), CHANNELS, *windows.shape[2:])
    for channel in range(CHANNELS):
        torch.add(bands[:, channel % 3], bands[:, (channel + 1) % 3], alpha=0.3 * channel, out=outputs[:, channel])
    return outputs


@contextmanager
def maps_of(image: Path, folder: Path) -> Iterator[tuple[Any, Any, list[Any]]]:
    """Yield the open image, its reader, and the targets that write its maps."""
    from mtlaerial.config import PredictionSpec
    from mtlaerial.models.height_heads import LinearHead
    from mtlaerial.models.normalisation import Normalisation
    from mtlaerial.prediction.map_files import contents_of, open_maps
    from mtlaerial.prediction.map_network import MapNetwork
    from mtlaerial.prediction.shown_maps import Map
    from mtlaerial.prediction.strip_reader import strip_reader
    from mtlaerial.rasters.geotiff import open_raster
    from mtlaerial.rasters.grid import Grid
    from mtlaerial.rasters.validity import MaskedBands
    from mtlaerial.runs.run import load_description

    description = load_description(folder / "run")
    network = MapNetwork(lambda _: [], Normalisation(0, 255), PredictionSpec(), description.outputs, LinearHead(1))
    with open_raster(image) as source:
        grid = Grid.of(source)
        maps = [Map(of.layer.name, of, grid) for of in contents_of(network)]
        read = strip_reader(image, MaskedBands(source, source.indexes), (0, 255))
        with open_maps(folder / "maps", description, {}, network, grid, maps) as targets:
            yield source, read, targets


def predict(image: Path, folder: Path, watch: Callable[[int], None] = lambda _: None) -> None:
    """Make the maps with the engine."""
    from mtlaerial.prediction.blending.blender import Blender
    from mtlaerial.prediction.blending.windows import even
    from mtlaerial.system.malloc import keep_freed_memory

    keep_freed_memory()
    blender = Blender(pointwise, CHANNELS, even(WINDOW, OVERLAP, 32), 1, torch.device("cpu"))
    with maps_of(image, folder) as (source, read, targets):
        for number in blender.run(read, source.height, source.width, targets, scratch=folder):
            watch(number)


def predict_plainly(image: Path, folder: Path) -> None:
    """Make the maps with sums and weights of the whole raster."""
    from mtlaerial.prediction.blending.targets import Finished
    from mtlaerial.prediction.blending.windows import even

    with maps_of(image, folder) as (source, read, targets):
        rows, columns = source.height, source.width
        down, across = even(WINDOW, OVERLAP, 32)(rows), even(WINDOW, OVERLAP, 32)(columns)
        weights = (down.weights[:, None] * across.weights[None, :]).float().clamp(min=1e-6)
        sums, total = torch.zeros(CHANNELS, rows, columns), torch.zeros(rows, columns)
        for top in down.starts:
            for left in across.starts:
                place = slice(top, top + down.window), slice(left, left + across.window)
                sums[:, *place] += pointwise(read(top, left, down.window, across.window).image[None])[0] * weights
                total[place] += weights
        sums /= total
        for target in targets:
            target.take(Finished(sums, 0, 0, (0, rows), (0, columns)))


def growth(size: int, share: float, folder: Path) -> list[dict[str, Any]]:
    """Compare the beginning of a large virtual raster with all of a smaller one."""
    write_image(folder / "part.tif", 2048)
    write_run(folder / "run")
    rows: list[dict[str, Any]] = []
    for side in (size // 10, size):
        image = folder / f"virtual{side}.vrt"
        write_virtual(image, folder / "part.tif", 2048, side)
        pixels = min(1.0, share * (size / side) ** 2) * side**2
        with alone() as pool:
            row = {"what": "virtual raster", "size": side, **pool.submit(begin, image, folder, pixels).result()}
        rows.append(row)
        growing = row["above_rest_mb"] / row["above_rest_mb_half_way"]
        print(
            f"virtual {side} px squared, {row['mpixel']:.0f} Mpixel of it: {row['ms_per_mpixel']:.1f} ms per Mpixel,"
            f" {row['ms_per_mpixel'] / rows[0]['ms_per_mpixel']:.2f} x; {row['above_rest_mb']:.0f} MB above rest,"
            f" {growing:.2f} x that half-way",
            flush=True,
        )
    return rows


def begin(image: Path, folder: Path, pixels: float) -> dict[str, Any]:
    """Predict about the given number of pixels of an image, and stop."""
    torch.set_num_threads(THREADS)
    process, resident = psutil.Process(), []
    rest, begun, done = process.memory_info().rss, time.perf_counter(), 0

    def watch(number: int) -> None:
        nonlocal done
        done += number * (WINDOW - OVERLAP) ** 2
        resident.append(process.memory_info().rss)
        if done >= pixels:
            raise Enough

    with suppress(Enough):
        predict(image, folder, watch)
    seconds = time.perf_counter() - begun
    return {
        "mpixel": done / 1e6,
        "ms_per_mpixel": 1e9 * seconds / done,
        "above_rest_mb": (max(resident) - rest) / 2**20,
        "above_rest_mb_half_way": (max(resident[: len(resident) // 2]) - rest) / 2**20,
    }


def write_virtual(path: Path, part: Path, side: int, size: int) -> None:
    """Write a virtual raster (VRT) that repeats one file of ``side`` x ``side`` pixels."""
    geo = ", ".join(map(str, Affine(0.5, 0, 500000, 0, -0.5, 5400000).to_gdal()))
    bands = []
    for band in (1, 2, 3):
        sources = [
            f'<SimpleSource><SourceFilename relativeToVRT="1">{part.name}</SourceFilename>'
            f"<SourceBand>{band}</SourceBand>"
            f'<SourceProperties RasterXSize="{side}" RasterYSize="{side}" DataType="Byte" BlockXSize="256"'
            ' BlockYSize="256"/>'
            f'<SrcRect xOff="0" yOff="0" xSize="{side}" ySize="{side}"/>'
            f'<DstRect xOff="{x}" yOff="{y}" xSize="{side}" ySize="{side}"/></SimpleSource>'
            for y in range(0, size, side)
            for x in range(0, size, side)
        ]
        bands.append(f'<VRTRasterBand dataType="Byte" band="{band}">{"".join(sources)}</VRTRasterBand>')
    path.write_text(
        f'<VRTDataset rasterXSize="{size}" rasterYSize="{size}"><SRS>EPSG:32631</SRS>'
        f"<GeoTransform>{geo}</GeoTransform>{''.join(bands)}</VRTDataset>"
    )


if __name__ == "__main__":
    main()
