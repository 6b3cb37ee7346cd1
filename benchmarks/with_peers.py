"""Comparison with peers: sampling, a training step and whole maps by this project and by others, on one machine.

Every measurement is a separate process, in turn: the median of some runs, and the peak memory above that before the
first. Ours runs in this environment, the peers in another one, which ``make bench-peers`` builds.

    python benchmarks/with_peers.py --python PEERS_PYTHON --root SCENE --tiles TILES [--sizes 2048 4096]
        [--only sampling] [--runs 5] [--json FILE]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from predict_memory import write_image
from record import bf16_units, save

HERE = Path(__file__).parent
SAMPLING: dict[str, Any] = {"patch": 256, "batch": 32, "batches": 10}
TRAINING: dict[str, Any] = {"patch": 320, "batch": 6}
WINDOWS: dict[str, Any] = {"window": 256, "stride": 192, "batch": 8}


class Case(NamedTuple):
    """A measurement: section and line of the table, script and arguments, and the amount of work."""

    section: str
    name: str
    script: str
    measurement: str
    arguments: dict[str, Any]
    amount: float
    unit: str


def main() -> None:
    """Measure, print each line as soon as it is measured, and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", required=True, help="the interpreter of the peers' environment")
    parser.add_argument("--root", type=Path, required=True, help="the scene's folder, with images/ and labels/")
    parser.add_argument("--tiles", type=Path, required=True, help="its tiles as prepared by this project")
    parser.add_argument("--sizes", type=int, nargs="+", default=[2048, 4096, 8192], help="sides of the maps in pixels")
    parser.add_argument("--only", nargs="+", choices=("sampling", "training", "maps"), help="some of the work")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    print("| work | by | rate | MB above rest |\n| --- | --- | ---: | ---: |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        cases = {
            "sampling": lambda: sampling(options.root, options.tiles),
            "training": training,
            "maps": lambda: maps(options.sizes, Path(folder)),
        }
        for case in chain.from_iterable(cases[name]() for name in options.only or cases):
            python = options.python if case.script == "theirs.py" else sys.executable
            figures = measured(python, case, options.runs)
            rate = case.amount / figures["seconds"]
            rows.append({"section": case.section, "name": case.name, "rate": rate, "unit": case.unit, **figures})
            print(line(case, rate, figures), flush=True)
            save(options.json, "peers", rows)


def line(case: Case, rate: float, figures: dict[str, Any]) -> str:
    """Return a line of the table; of a training, with the network's parameters and operations."""
    size, memory = "", "" if figures["above_rest_mb"] is None else f"{figures['above_rest_mb']:,.0f}"
    if "gflop_per_patch" in figures:
        size = f" ({figures['parameters_million']:.1f} M parameters, {figures['gflop_per_patch']:.0f} GFLOP a patch)"
    return f"| {case.section} | {case.name}{size} | {rate:.3g} {case.unit} | {memory} |"


def measured(python: str, case: Case, runs: int) -> dict[str, Any]:
    """Run a measurement in a separate process, with all cores."""
    command = [python, str(HERE / "peers" / case.script), case.measurement, json.dumps(case.arguments)]
    threads = str(len(os.sched_getaffinity(0)))
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "PYTHONPATH": str(HERE), "RUNS": str(runs)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def sampling(root: Path, tiles: Path) -> Iterator[Case]:
    """Yield cases of drawing patches: image and labels by torchgeo; image, height, labels and masks by ours."""
    amount, section = SAMPLING["batch"] * SAMPLING["batches"], "patches of 256 px in batches of 32"
    for rotation, how in ((0, "mirrored"), (5, "mirrored, every patch rotated")):
        arguments = {**SAMPLING, "tiles": str(tiles), "rotation": rotation}
        yield Case(section, f"mtlaerial, {how}", "ours.py", "sampling", arguments, amount, "patches/s")
    for warp in (True, False):
        for workers in (0, 2):
            arguments = {**SAMPLING, "root": str(root), "workers": workers, "warp": warp}
            name = f"torchgeo, {workers} workers" + ("" if warp else ", opened without its warp")
            yield Case(section, name, "theirs.py", "sampling", arguments, amount, "patches/s")


def training() -> Iterator[Case]:
    """Yield cases of a training step of networks with the same encoder; their sizes are printed as they differ."""
    section = "training step, 6 patches of 320 px"
    for precision in ("32-true", "bf16-mixed") if bf16_units() else ("32-true",):
        name = f"mtlaerial, D3Net, {precision}"
        yield Case(section, name, "ours.py", "training", {"precision": precision}, TRAINING["batch"], "patches/s")
    name = "segmentation-models-pytorch, U-Net, float32"
    yield Case(section, name, "theirs.py", "training", TRAINING, TRAINING["batch"], "patches/s")


def maps(sizes: list[int], folder: Path) -> Iterator[Case]:
    """Yield cases of maps of growing size by the same small network and windows; first the network alone."""
    pixels = WINDOWS["window"] ** 2 * WINDOWS["batch"] / 1e6
    arguments = {key: WINDOWS[key] for key in ("window", "batch")}
    for name, script in (("torch of mtlaerial", "ours.py"), ("torch of the peers", "theirs.py")):
        yield Case("the network alone", name, script, "alone", arguments, pixels, "Mpixel/s of windows")
    makers = [("mtlaerial", "ours.py", "prediction")]
    makers += [(name, "theirs.py", name.lower()) for name in ("TerraTorch", "GeoAI", "torchgeo")]
    for size in sizes:
        image = folder / f"{size}.tif"
        write_image(image, size)
        arguments = {**WINDOWS, "image": str(image), "folder": str(folder)}
        for name, script, measurement in makers:
            yield Case(f"map of {size:,}² px", name, script, measurement, arguments, size**2 / 1e6, "Mpixel/s")


if __name__ == "__main__":
    main()
