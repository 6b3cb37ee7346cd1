"""Compare grids in the predicted heights of several runs: hillshades of one tile, and checkerboard ratios.

python benchmarks/hillshades.py --tile results/autzen/autzen/tiles/autzen_r2c3 --out docs/images/hillshades.png \
    d3net=results/autzen/autzen/runs/equal/seed0 resize=results/autzen/autzen/runs/resize/seed0
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from mtlaerial.figures import hillshade_figure
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.runs.run import load_description
from mtlaerial.scoring.checkerboard import PERIODS, checkerboard_ratios, load_spectra


def main() -> None:
    """Predict the tile at the image's resolution with each run, draw the heights, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", metavar="NAME=RUN", help="title of a panel, and the folder of a trained run")
    parser.add_argument("--tile", type=Path, required=True, help="folder of a prepared tile")
    parser.add_argument("--out", type=Path, required=True, help="PNG to write")
    options = parser.parse_args()
    if not all("=" in run for run in options.runs):
        parser.error(f"found {' '.join(options.runs)}; expected NAME=RUN, e.g. d3net=results/city/runs/equal/seed0")
    runs = {name: Path(folder) for name, _, folder in [run.partition("=") for run in options.runs]}
    with TemporaryDirectory() as scratch:
        maps = {}
        for number, (name, run) in enumerate(runs.items()):
            prediction = load_description(run).plan.prediction.model_copy(update={"image_maps": True})
            folder = Path(scratch) / str(number)
            Predictor(run, prediction).predict_tiles([options.tile], folder)
            maps[name] = folder / options.tile.name
        hillshade_figure(options.tile, maps, load_description(next(iter(runs.values()))), options.out)
        print(ratio_table(maps))


def ratio_table(maps: dict[str, Path]) -> str:
    """Return the checkerboard ratios of folders of maps as a Markdown table."""
    lines = ["| run | " + " | ".join(f"{period} px" for period in PERIODS) + " |", "|---|" + "---:|" * len(PERIODS)]
    for name, folder in maps.items():
        ratios = checkerboard_ratios([load_spectra(folder, "height")])
        cells = [f"{ratios[period]:.2f}" if period in ratios else "–" for period in PERIODS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
