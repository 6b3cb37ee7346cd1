"""Necessary overlap of windows: maps of a crop of the real scene in windows, against those in a single one.

A single window over the whole crop has no borders; differences from its maps are the loss of quality by windows. Uses
the network of full_scene.py, which is trained if it does not exist.

    python benchmarks/overlap.py --root DIR [--run RUN] [--window 640] [--overlaps 0 32 64 96 128 256] [--json FILE]
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from apart import alone
from mosaic import mosaic, pixels, predict, scored, suited, trained
from record import save


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="the scene's folder")
    parser.add_argument("--run", type=Path, help="a trained run; else one is trained")
    parser.add_argument("--folder", type=Path, default=Path("results/bench/full_scene"))
    parser.add_argument("--crop", type=int, default=1536)
    parser.add_argument("--window", type=int, default=640)
    parser.add_argument("--overlaps", type=int, nargs="+", default=[0, 32, 64, 96, 128, 256])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    run = options.run or trained(options.root, options.folder)
    crop = mosaic(options.root, options.folder, "images", options.crop)
    rows: list[dict[str, Any]] = []
    for overlap in (None, *options.overlaps):
        window = options.crop if overlap is None else options.window
        changes = {"window": window, "stride": window - (overlap or 0)}
        maps = options.folder / f"overlap{overlap}"
        with alone() as pool:
            pool.submit(predict, run, crop, maps, suited(run).model_copy(update=changes), "32-true").result()
        row = {"overlap": overlap, **scored(maps, options.root, options.folder, options.crop)}
        rows.append(row | beside(maps, options.folder / "overlapNone"))
        print("one window:" if overlap is None else f"overlap {overlap} px:", sentence(rows[-1]), flush=True)
    save(options.json, "overlap", rows, window=options.window, crop=options.crop)


def beside(maps: Path, single: Path) -> dict[str, float]:
    """Return the differences of maps from those of a single window."""
    classes = [pixels(folder / "semantics.tif") for folder in (maps, single)]
    heights = [pixels(folder / "height.tif") for folder in (maps, single)]
    return {
        "classes_changed": float((classes[0] != classes[1]).mean()),
        "height_changed": float(np.abs(heights[0] - heights[1]).mean()),
    }


def sentence(row: dict[str, Any]) -> str:
    """Return a row as a sentence."""
    return (
        f"OA {100 * row['oa']:.2f} %, MAE {row['mae']:.4f} m;"
        f" {100 * row['classes_changed']:.2f} % of classes differ, heights by {row['height_changed']:.4f} m on average"
    )


if __name__ == "__main__":
    main()
