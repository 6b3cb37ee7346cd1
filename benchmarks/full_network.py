"""The paper's network at its full size: seconds of a map of 2048 x 2048 pixels with the paper's windows and blending.

It runs in a process of its own. The image is generated; the network begins at random. What a training step costs is
measured by ``weightings.py --network full``.

    python benchmarks/full_network.py [--crop 2048] [--json FILE]
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from predict_memory import alone, write_image, write_run
from record import save

WINDOW, STRIDE = 1024, 256


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crop", type=int, default=2048, help="side of the map in pixels")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    row = apart(prediction, options.crop)
    memory = f"{row['above_rest_mb']:.0f} MB above rest"
    print(f"{row['name']}: {row['seconds']:.0f} s for {row['windows']} windows, {memory}", flush=True)
    save(options.json, "full_network", [row])


def apart(measure: Any, *arguments: Any) -> dict[str, Any]:
    """Run a measurement in a new process and a temporary folder."""
    with tempfile.TemporaryDirectory() as folder, alone() as pool:
        return dict(pool.submit(measure, Path(folder), *arguments).result())


def prediction(folder: Path, crop: int) -> dict[str, Any]:
    """Return the seconds of a map with the paper's windows and blending."""
    from mtlaerial.blending import starts
    from mtlaerial.config import PredictionSpec
    from mtlaerial.prediction import Predictor

    write_image(folder / "image.tif", crop)
    write_run(folder / "run", dropout=0.5)
    predictor = Predictor(folder / "run", PredictionSpec(window=WINDOW, stride=STRIDE, activation="sigmoid"))
    rest = psutil.Process().memory_info().rss
    begun = time.perf_counter()
    predictor.predict_image(folder / "image.tif", folder / "maps")
    seconds = time.perf_counter() - begun
    windows = len(starts(crop, WINDOW, STRIDE)) ** 2
    return {
        "name": f"map of {crop} x {crop} px",
        "windows": windows,
        "seconds": seconds,
        "above_rest_mb": peak_above(rest),
    }


def peak_above(rest: int) -> float:
    """Return by how many megabytes the process's peak exceeds its memory at rest, given in bytes."""
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - rest) / 2**20


if __name__ == "__main__":
    main()
