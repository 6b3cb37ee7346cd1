"""Training patches per second: image, height and labels with their validity masks, drawn from prepared tiles.

The baseline are plain crops of the same bytes: no grids, no mirroring, no conversion for a network. The variants take
turns, so that other load of the machine slows all alike; every number is the median of the runs.

    python benchmarks/sampling.py --tiles results/bench/tiles [--runs 5] [--json FILE]
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from record import save

from mtlaerial.config import Augmentation
from mtlaerial.sampling import PatchSampler
from mtlaerial.sampling.class_balance import BalancedCorners
from mtlaerial.system.malloc import keep_freed_memory
from mtlaerial.tiles.tile import Tile, load_tiles

CPU = torch.device("cpu")
FLIPS = Augmentation(flip=True, rotation=0)
QUARTERS = Augmentation(flip=True, quarter_turns=True, rotation=0)
ROTATION = Augmentation(flip=True)
"""By a few degrees, as in the original's code."""
ANY_ANGLE = Augmentation(flip=True, rotation=60)


def main() -> None:
    """Measure the variants in turn and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=Path, required=True, help="folder with a folder per prepared tile")
    parser.add_argument("--patch", type=int, default=256)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--batches", type=int, default=10, help="batches of a run")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_freed_memory()  # as a training does
    draws = variants(sorted(path for path in options.tiles.iterdir() if path.is_dir()), options.patch, options.batch)
    rates: dict[str, list[float]] = {name: [] for name in draws}
    for run in range(options.runs + 1):
        for name, draw in draws.items():
            rate = patches_per_second(draw, options.batch, options.batches)
            if run:  # the first warms up
                rates[name].append(rate)
    rows = [{"name": name, "patches_per_second": statistics.median(each), "all": each} for name, each in rates.items()]
    for row in rows:
        print(f"{row['name']}: {row['patches_per_second']:.0f} patches/s")
    settings = {key: getattr(options, key) for key in ("patch", "batch", "batches", "threads", "runs")}
    save(options.json, "sampling", rows, settings=settings)


def patches_per_second(draw: Callable[[], object], batch: int, batches: int) -> float:
    """Return the patches per second of a function that draws one batch."""
    begun = time.perf_counter()
    for _ in range(batches):
        draw()
    return batch * batches / (time.perf_counter() - begun)


def variants(folders: Sequence[Path], patch: int, batch: int) -> dict[str, Callable[[], object]]:
    """Return functions by name that draw one batch, the last two from mapped tiles, the others from tiles in memory."""
    resident, mapped = (load_tiles(folders, CPU, budget) for budget in (2**20, 0))
    balanced = BalancedCorners(resident, patch, [tile.labels[..., 0].numpy() for tile in resident])
    samplers = {
        "flips": PatchSampler(resident, patch, FLIPS),
        "flips and quarter turns": PatchSampler(resident, patch, QUARTERS),
        "flips and rotation": PatchSampler(resident, patch, ROTATION),
        "flips and any angle": PatchSampler(resident, patch, ANY_ANGLE),
        "flips and rotation, class balanced": PatchSampler(resident, patch, ROTATION, balanced),
        "flips, mapped tiles": PatchSampler(mapped, patch, FLIPS),
        "flips and rotation, mapped tiles": PatchSampler(mapped, patch, ROTATION),
    }
    generator = torch.Generator().manual_seed(0)

    def drawing(sampler: PatchSampler) -> Callable[[], object]:
        return lambda: sampler.draw(batch, generator)

    ours = {name: drawing(sampler) for name, sampler in samplers.items()}
    return {"plain crops of bytes": lambda: plain_crops(resident, patch, batch, generator), **ours}


def plain_crops(tiles: Sequence[Tile], patch: int, batch: int, generator: torch.Generator) -> list[torch.Tensor]:
    """Cut windows of all layers at random places, and stack them without conversion."""
    numbers = torch.rand(batch, 3, generator=generator).tolist()
    layers: tuple[list[torch.Tensor], ...] = ([], [], [])
    for which, down, right in numbers:
        tile = tiles[int(which * len(tiles))]
        for cuts, raster in zip(layers, (tile.image, tile.height, tile.labels), strict=True):
            side = patch * raster.shape[0] // tile.rows  # coarser ground truth keeps its GSD
            row, column = int(down * (raster.shape[0] - side)), int(right * (raster.shape[1] - side))
            cuts.append(raster[row : row + side, column : column + side])
    return [torch.stack(cuts) for cuts in layers]


if __name__ == "__main__":
    main()
