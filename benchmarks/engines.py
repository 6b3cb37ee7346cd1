"""Engines beside each other on one image: time, CPU time, and how far their maps are from those of torch in float32.

Each engine predicts the whole image, from the file to maps of exact heights, in interleaved rounds. Ratios are medians
of those within a round, so that other work on the machine hardly changes them. `benchmarks/full_scene.py --engines`
calls this.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from apart import alone
from mosaic import pixels
from record import bf16_units

from mtlaerial.system.openmp import wait_passively

ENGINES = (
    ("torch", "32-true"),
    ("torch", "bf16-mixed"),
    ("openvino", "32-true"),
    ("openvino", "bf16-mixed"),
    ("onnxruntime", "32-true"),
)
REFERENCE = "torch 32-true"
BASELINES = (REFERENCE, "torch bf16-mixed")
CENTIMETRE = 0.01
BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"
"""Program of a process that keeps a core busy as long as its parent lives."""


class Cost(NamedTuple):
    """Seconds on the clock, and of all cores."""

    wall: float
    cpu: float


def compare(run: Path, image: Path, folder: Path, runs: int, threads: Sequence[int]) -> list[dict[str, Any]]:
    """Return a row per engine, number of threads, and idle or busy cores; print them."""
    wait_passively()  # of the processes below, which import torch before they do anything
    rows = []
    for number in threads:
        for busy in (0, os.cpu_count() or 1):
            with occupied(busy), alone() as pool:
                some = pool.submit(measured, run, image, folder, runs, number).result()
            rows += [{"threads": number, "busy": busy, **row} for row in some]
            print_table(rows[-len(some) :])
    return rows


def measured(run: Path, image: Path, folder: Path, runs: int, threads: int) -> list[dict[str, Any]]:
    """Return a row per engine."""
    import rasterio

    names = [f"{engine} {precision}" for engine, precision in ENGINES if precision == "32-true" or bf16_units()]
    predictors, starts = {}, {}
    for name in names:
        begun = now()
        predictors[name] = started(run, image, *name.split(), threads)
        starts[name] = since(begun)
    costs: dict[str, list[Cost]] = {name: [] for name in names}
    for index in range(runs + 1):
        for name in names:
            begun = now()
            predictors[name].predict_image(image, folder / name.replace(" ", "_"), replace=True)
            if index:  # the first one is to warm up
                costs[name].append(since(begun))
    with rasterio.open(image) as source:
        mpixel = source.height * source.width / 1e6
    return [{**row_of(name, costs, starts[name], mpixel), **differences(name, folder)} for name in names]


def started(run: Path, image: Path, engine: str, precision: str, threads: int) -> Any:
    """Return the predictor of an engine, which has run one window of the image's size."""
    import rasterio
    import torch

    from mtlaerial.prediction.predictor import Predictor
    from mtlaerial.prediction.settings import prediction_for

    compute = {"engine": engine, "precision": precision, "threads": threads, "device": "cpu"}
    exact = {"height_encoding": "float32", "negative_heights": True}
    predictor = Predictor(run, prediction_for(run, blend="even", compute=compute, **exact))
    with rasterio.open(image) as source:
        rows, columns = (predictor.blender.layout(length).window for length in source.shape)
    predictor.network(torch.zeros(1, len(predictor.description.statistics.bands), rows, columns))
    return predictor


def row_of(name: str, costs: dict[str, list[Cost]], start: Cost, mpixel: float) -> dict[str, Any]:
    """Return time and CPU time of an engine per Mpixel, and how many times as fast it is as each baseline."""
    row: dict[str, Any] = {"what": name, "start_seconds": start.wall, "start_cpu_seconds": start.cpu}
    for kind in Cost._fields:
        seconds = [getattr(cost, kind) for cost in costs[name]]
        row[f"{kind}_per_mpixel"] = statistics.median(seconds) / mpixel
        for baseline in filter(costs.get, BASELINES):
            theirs = [getattr(cost, kind) for cost in costs[baseline]]
            ratios = [them / us for them, us in zip(theirs, seconds, strict=True)]
            row[f"{kind}_ratio_{baseline}"] = statistics.median(ratios)
    return row


def differences(name: str, folder: Path) -> dict[str, float]:
    """Return how far an engine's maps are from the reference's: shares of pixels, and metres."""
    ours, theirs = folder / name.replace(" ", "_"), folder / REFERENCE.replace(" ", "_")
    apart = np.abs(pixels(ours / "height.tif") - pixels(theirs / "height.tif"))
    return {
        "classes_equal": float((pixels(ours / "semantics.tif") == pixels(theirs / "semantics.tif")).mean()),
        "heights_within_1_cm": float((apart <= CENTIMETRE).mean()),
        "height_mean_difference": float(apart.mean()),
        "height_max_difference": float(apart.max()),
    }


def print_table(rows: Sequence[dict[str, Any]]) -> None:
    """Print rows of one number of threads, on cores that are alike busy."""
    busy = f"{rows[0]['busy']} further processes at work"
    print(f"\n{rows[0]['threads']} threads, {busy}; load {os.getloadavg()[0]:.1f}; ratios of time, and of CPU time")
    for row in rows:
        ratios = [
            f"{row.get(f'wall_ratio_{each}', 0):.2f} ({row.get(f'cpu_ratio_{each}', 0):.2f}) x {each}"
            for each in BASELINES
        ]
        print(
            f"{row['what']:>20}: {row['wall_per_mpixel']:6.2f} s ({row['cpu_per_mpixel']:.2f} CPU s) per Mpixel; "
            f"{', '.join(ratios)}; classes equal {100 * row['classes_equal']:.3f} %, heights within 1 cm "
            f"{100 * row['heights_within_1_cm']:.2f} %, mean {row['height_mean_difference']:.4f} m, at most "
            f"{row['height_max_difference']:.4f} m; start {row['start_seconds']:.1f} s, "
            f"{row['start_cpu_seconds']:.1f} CPU s",
            flush=True,
        )


@contextmanager
def occupied(number: int) -> Iterator[None]:
    """Keep cores busy in a block, by so many processes that do nothing else."""
    processes = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(number)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def now() -> Cost:
    """Return the time."""
    return Cost(time.perf_counter(), time.process_time())


def since(begun: Cost) -> Cost:
    """Return the time since then."""
    return Cost(*(after - before for after, before in zip(now(), begun, strict=True)))
