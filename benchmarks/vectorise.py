"""Time and memory of vectorising a generated region: half of it buildings, half of it noise.

python benchmarks/vectorise.py --size 8000
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from affine import Affine
from noisy_region import BLOCK, GSD, codes_and_heights
from rasterio.crs import CRS
from record import save

from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.maps.layer import Category, Palette, RasterLayer
from mtlaerial.objects.vectorise import vectorise
from mtlaerial.rasters.geotiff import create_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.system.memory import peak_process_memory_mb

CLASSES = ("ground", "building")


def generate(folder: Path, size: int) -> None:
    """Write generated maps."""
    grid = Grid(CRS.from_epsg(32632), Affine(GSD, 0, 600_000, 0, -GSD, 5_000_000), size, size)
    palette = Palette(tuple(Category(code, name, (0, 0, 0)) for code, name in enumerate(CLASSES)))
    layers = (
        RasterLayer("semantics", ("class",), "uint8", 255, style=palette),
        RasterLayer("height", ("height",), "int16", -32768, "metre", 0.01),
    )
    rng = np.random.default_rng(0)
    with (
        create_raster(folder / "semantics.tif", grid, **layers[0].profile) as classes,
        create_raster(folder / "height.tif", grid, **layers[1].profile) as heights,
    ):
        classes.update_tags(**{f"CLASS_{code}": name for code, name in enumerate(CLASSES)})
        heights.scales = (0.01,)
        for top in range(0, size, BLOCK):
            rows = min(BLOCK, size - top)
            for out, values in zip((classes, heights), codes_and_heights(rng, rows, size), strict=True):
                out.write(values, 1, window=((top, top + rows), (0, size)))


def measure(maps: Path, suffix: str, regularise: bool) -> dict[str, Any]:
    """Vectorise maps in this process, and return seconds, peak memory in megabytes, and what was written."""
    out = maps / f"objects{suffix}"
    begun, used = time.perf_counter(), time.process_time()
    number = vectorise([maps], out, ObjectsSpec(regularise=regularise))
    seconds, cpu = time.perf_counter() - begun, time.process_time() - used
    peak = peak_process_memory_mb()
    size = out.stat().st_size / 1e6
    out.unlink()
    return {"seconds": seconds, "cpu": cpu, "peak": peak, "objects": number, "file": size}


def main() -> None:
    """Generate a region, vectorise it in a process of its own per format, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=8000, help="side of the region in pixels")
    parser.add_argument("--suffix", nargs="+", default=[".gpkg"], help="formats, e.g. .gpkg .parquet .city.json")
    parser.add_argument("--regularise", action="store_true", help="regularise the outlines too")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.suffix[0], options.regularise)))
        return
    with TemporaryDirectory() as scratch:
        generate(Path(scratch), options.size)
        rows = [in_a_process(Path(scratch), suffix, options.regularise) for suffix in options.suffix]
    print(table(rows, options.size))
    save(options.json, "vectorise", rows, size=options.size, regularise=options.regularise)


def in_a_process(maps: Path, suffix: str, regularise: bool) -> dict[str, Any]:
    """Vectorise maps in a process of its own, whose peak memory is that of the work."""
    command = [sys.executable, __file__, "--measure", str(maps), "--suffix", suffix]
    command += ["--regularise"] if regularise else []
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return {"format": suffix, **json.loads(done.stdout)}


def table(rows: list[dict[str, Any]], size: int) -> str:
    """Return the figures as a Markdown table."""
    pixels = size**2 / 1e6
    lines = [
        "| size (px²) | format | objects | s/Mpixel | CPU s/Mpixel | peak (MB) | file (MB) |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        costs = f"{row['seconds'] / pixels:.3f} | {row['cpu'] / pixels:.3f} | {row['peak']:,.0f} | {row['file']:,.0f}"
        lines.append(f"| {size:,} | `{row['format']}` | {row['objects']:,} | {costs} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
