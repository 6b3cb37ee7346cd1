"""A workplace whose target is a small region, and the faults of its images, its disk and its folder."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml
from rasterio.crs import CRS

from support import small_runs, tiny
from support.map_faults import damage, mend, put_back
from support.workflow_faults import (
    Attempt,
    Fault,
    fill_disk,
    interrupt,
    kill_everything,
    pause,
    terminate_snakemake,
    to_job,
)
from support.workplace import Workplace

RULE, TARGETS = "map_sheets", ("map",)
IMAGES = (3, 2)
"""Images in each direction."""
SIDE = 540
"""Of an image in pixels; sheets have 512."""
MAP = {
    "run": "run",
    "images": ["images"],
    "sheet": 512,
    "sheets_per_job": 4,
    "prediction": {"blend": "even", "window": 128, "stride": 96, "threads": 1, "device": "cpu"},
}


def map_workplace(folder: Path, root: Path) -> Workplace:
    """Return a workplace with images and an untrained run; the overlay is written to a folder beside it."""
    overlay = root / "overlay.yaml"
    overlay.write_text(yaml.safe_dump({"results": "results", "map": MAP}))
    place = Workplace(folder, overlay)
    small_runs.imported_run(folder)
    random = np.random.default_rng(5)
    for column in range(IMAGES[0]):
        for row in range(IMAGES[1]):
            coarse = random.integers(1, 200, (3, SIDE // 20, SIDE // 20)).astype(np.uint8)
            pixels = np.kron(coarse, np.ones((1, 20, 20), np.uint8)) + random.integers(0, 40, (3, SIDE, SIDE))
            west, north = 500_000 + column * SIDE / 2, 5_200_000 - row * SIDE / 2
            path = folder / f"images/r{row}_c{column}.tif"
            place_of = {"pixel": 0.5, "west": west, "north": north, "crs": CRS.from_epsg(32631)}
            tiny.write_raster(path, pixels.astype(np.uint8), **place_of, compress="deflate", tiled=True)
    return place


def spoil_image(spoil: Callable[[Path], object], restore: Callable[[Path], object]) -> Fault:
    """Return the fault that an image is spoilt while jobs are at work; at their end it is restored."""

    def fault(attempt: Attempt) -> bool:
        attempt.begin()
        image = attempt.moments.choice(sorted((attempt.place.folder / "images").glob("*.tif")))
        if not attempt.some_job():
            return False
        spoil(image)
        if attempt.snakemake.wait():
            log = (attempt.place.folder / "snakemake.log").read_text()
            assert "sheets without a map: r0" in log, log[-3000:]
            assert f"images/{image.name}" in log
        restore(image)
        attempt.go_on()
        return True

    return fault


def start_twice(attempt: Attempt) -> bool:
    """Start the same command a second time, which is refused at once; the first goes on."""
    attempt.begin()
    if not attempt.some_job():
        return False
    place = attempt.place
    command = place.command(*attempt.targets)
    second = subprocess.run(
        command, cwd=place.folder, env=place.environment, capture_output=True, text=True, check=False
    )
    assert second.returncode or attempt.ended, second.stderr
    if second.returncode:
        assert "LockException" in second.stderr, second.stderr
    return True


MAP_FAULTS: dict[str, Fault] = {
    "kill": kill_everything,
    "kill-job": to_job(lambda process: process.kill()),
    "terminate-job": to_job(lambda process: process.terminate()),
    "pause-job": to_job(pause),
    "interrupt": interrupt,
    "terminate": terminate_snakemake,
    "lost-image": spoil_image(lambda image: image.rename(image.with_suffix(".away")), put_back),
    "damaged-image": spoil_image(damage, mend),
    "full-disk": fill_disk,
    "twice": start_twice,
}
