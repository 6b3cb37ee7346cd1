"""Draw the intervals of calibrated runs on one tile: height, width, and errors inside and outside of the interval.

python benchmarks/interval_maps.py --tile results/autzen/autzen/tiles/autzen_r2c3 --out docs/images/intervals.webp \
    single=results/maps/autzen/runs/single/seed0 head=results/maps/autzen/runs/head/seed0
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure

from mtlaerial.calibration.intervals import height_interval
from mtlaerial.calibration.record import percent
from mtlaerial.config import task_entry
from mtlaerial.errors import DataError
from mtlaerial.figures.style import hide_ticks, mark_nodata, named, scale_bar
from mtlaerial.figures.tile_layers import Frame, as_picture, read_grid, read_layer
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.runs.calibration_file import REMEDY, load_calibration
from mtlaerial.runs.run import load_description
from mtlaerial.scoring.height_truth import HeightTruth

PANEL = 3.2
"""Inches of a side of a map."""
TALLEST = 25.0
"""Metres at which the colours of heights and widths end."""
VERDICTS = ListedColormap(["#e3ecf4", "#c1272d"])


def main() -> None:
    """Predict the tile with each run, and draw a row of maps for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", metavar="NAME=RUN", help="name of a row, and the folder of a calibrated run")
    parser.add_argument("--tile", type=Path, required=True, help="folder of a prepared tile")
    parser.add_argument("--out", type=Path, required=True, help="PNG or WebP to write")
    parser.add_argument("--level", type=float, default=0.9)
    options = parser.parse_args()
    if not all("=" in run for run in options.runs):
        parser.error(f"found {' '.join(options.runs)}; expected NAME=RUN, e.g. single=results/city/runs/equal/seed0")
    runs = {name: Path(folder) for name, _, folder in [run.partition("=") for run in options.runs]}
    arrays = {name: interval_arrays(run, options.tile, options.level) for name, run in runs.items()}
    description = load_description(next(iter(runs.values())))
    frame = Frame.of(read_grid(options.tile / "image.tif"), description.statistics.gsd)
    picture = read_layer(options.tile / "image.tif", frame)
    figure = drawn(picture, arrays, options.level)
    title = f"{named(description.statistics.title, description.statistics.generated)}: {options.tile.name}"
    figure.suptitle(title, fontsize=12)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.out, dpi=110)


def interval_arrays(run: Path, tile: Path, level: float) -> dict[str, np.ndarray]:
    """Return predicted height, width of the interval, and whether the true height is outside; NaN without truth."""
    calibration, entry = load_calibration(run), task_entry("height")
    if calibration is None:
        raise DataError(run, "no calibration", "a calibrated run", REMEDY)
    with TemporaryDirectory() as scratch:
        Predictor(run).predict_tiles([tile], Path(scratch))
        maps = Path(scratch) / tile.name
        predicted = _band(maps / "height.tif")
        deviation = _band(maps / "height_std.tif") if (maps / "height_std.tif").exists() else None
    lower, upper = height_interval(calibration.heights["height"], level, predicted, deviation)
    true = HeightTruth(tile, entry)(0, len(predicted))
    outside = np.where(np.isfinite(true), (true < lower) | (true > upper), np.nan)
    covered = 1 - float(np.nanmean(outside))
    print(f"{run}: {100 * covered:.1f} % inside, mean width {np.nanmean(upper - lower):.1f} m", flush=True)
    return {"height": predicted, "width": upper - lower, "outside": outside}


def drawn(picture: Any, arrays: dict[str, dict[str, np.ndarray]], level: float) -> Figure:
    """Return the figure: a row per run, the image at the left of each."""
    figure = Figure(figsize=(4 * PANEL + 0.4, len(arrays) * (PANEL + 0.35) + 0.6), layout="constrained")
    rows = figure.subplots(len(arrays), 4, squeeze=False)
    metres = Normalize(0, TALLEST)
    for axes, (name, maps) in zip(rows, arrays.items(), strict=True):
        axes[0].imshow(as_picture(picture), extent=picture.extent)
        scale_bar(axes[0], picture.extent[1] - picture.extent[0])
        titles = name, "predicted height", f"width of the {percent(level)} interval", "true height outside (red)"
        for panel, title in zip(axes, titles, strict=True):
            panel.set_title(title, fontsize=10)
            hide_ticks(panel)
        for panel, key, colours in zip(axes[1:3], ("height", "width"), ("viridis", "magma"), strict=True):
            shown = panel.imshow(maps[key], cmap=colours, norm=metres, interpolation="nearest")
            figure.colorbar(shown, ax=panel, shrink=0.7, extend="max", label="m")
        axes[3].imshow(maps["outside"], cmap=VERDICTS, norm=Normalize(0, 1), interpolation="nearest")
        mark_nodata(axes[3])
    return figure


def _band(path: Path) -> np.ndarray:
    import rasterio

    with rasterio.open(path) as source:
        band: np.ndarray = source.read(1)
        return band


if __name__ == "__main__":
    main()
