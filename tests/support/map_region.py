"""A small region of damageable images and an untrained run, which is mapped in processes that faults may befall."""

import logging
import multiprocessing
import os
import shutil
import signal
import sys
from contextlib import chdir
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
from rasterio.crs import CRS

from mtlaerial.config import PredictionSpec
from mtlaerial.errors import UserError
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.regions.index import index_sheets
from mtlaerial.regions.mapping_job import map_sheets
from mtlaerial.regions.mosaic import Span
from mtlaerial.regions.planning import plan_region
from mtlaerial.regions.region import Region
from mtlaerial.regions.sheets import jobs_of
from support import small_runs, tiny

IMAGE, SIDE = 90, 70
"""Sides of images and sheets in pixels."""
GRID = 4
"""Images along a side of the region; they overlap by a fifth."""
JOBS = 2
PREDICTION = {"window": 32, "stride": 24, "blend": "even", "threads": 1}


class MapRegion:
    """A folder with images, a run, the plan of their region and its maps.

    Parameters
    ----------
    folder : Path
        An existing one that was made before is taken as it is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.maps = folder, folder / "map"
        if not folder.exists():
            folder.mkdir(parents=True)
            small_runs.imported_run(folder)
            write_images(folder / "images")
            with chdir(folder):  # so that a copy of the folder has a plan of its own images
                images = sorted(Path("images").glob("*.tif"))
                plan_region(images, self.predictor().description, SIDE).save(self.maps / "region.json")

    @property
    def images(self) -> list[Path]:
        """The images, in their order."""
        return sorted((self.folder / "images").glob("*.tif"))

    @property
    def region(self) -> Region:
        """The plan, with images by their paths in the folder."""
        return Region.load(self.maps / "region.json")

    def predictor(self) -> Predictor:
        """Return the run, ready to predict."""
        return Predictor(self.folder / "run", PredictionSpec.parse(PREDICTION, "prediction"))

    def start(self) -> BaseProcess:
        """Start the region's jobs in a new process, whose output is appended to ``log``, and which ends with 0 or 1."""
        process = multiprocessing.get_context("fork").Process(target=self._work)
        process.start()
        return process

    def _work(self) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        file = os.open(self.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(file, stream)
        logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
        sys.exit(self.map())

    def map(self) -> int:
        """Map what is missing, as the jobs of the workflow do, then index; return 1 where a job failed."""
        os.chdir(self.folder)
        predictor, region, failed = self.predictor(), self.region, False
        for number, sheets in enumerate(jobs_of(region.sheets, -(-len(region.sheets) // JOBS))):
            record = self.maps / f"jobs/{number}.json"
            try:
                if not record.exists():
                    map_sheets(predictor, region, sheets, record)
            except UserError as error:
                logging.error("%s", error)
                failed = True
        if not failed:
            try:
                index_sheets(region, self.maps, "run")
            except UserError as error:
                logging.error("%s", error)
                failed = True
        return int(failed)

    def results(self) -> dict[str, bytes]:
        """Return the content of every file of the maps, without the records of jobs, which nothing reads."""
        files = (path for path in sorted(self.maps.rglob("*")) if path.is_file() and path.parent.name != "jobs")
        return {str(path.relative_to(self.maps)): path.read_bytes() for path in files}

    def complete_sheets(self) -> set[str]:
        """Return the names of the sheets whose maps are complete."""
        return {path.parent.name for path in self.maps.glob("sheets/*/stac_item.json")}

    def sheets_that_see(self, image: Path) -> set[str]:
        """Return the names of the sheets whose windows reach into an image; a window more in each direction at most."""
        (span,) = (each.span for each in self.region.images if each.path.name == image.name)
        reach = int(PREDICTION["window"])
        grown = Span(span.row - reach, span.column - reach, span.rows + 2 * reach, span.columns + 2 * reach)
        return {sheet.name for sheet in self.region.sheets if self.region.span_of(sheet).shared(grown)}

    def copy(self, folder: Path) -> "MapRegion":
        """Return a copy, times of files included."""
        shutil.copytree(self.folder, folder)
        return MapRegion(folder)


def write_images(folder: Path) -> None:
    """Write the images, compressed, so that damage is noticed."""
    size = IMAGE + (GRID - 1) * IMAGE * 4 // 5
    coarse = np.random.default_rng(11).integers(1, 255, (3, size // 6 + 1, size // 6 + 1)).astype(np.uint8)
    noise = np.random.default_rng(12).integers(0, 12, (3, size, size)).astype(np.uint8)
    pixels = np.kron(coarse // 2, np.ones((1, 6, 6), np.uint8))[:, :size, :size] + 60 + noise
    for row in range(0, size - IMAGE + 1, IMAGE * 4 // 5):
        for column in range(0, size - IMAGE + 1, IMAGE * 4 // 5):
            west, north = 500_000 + column / 2, 5_200_000 - row / 2
            part = pixels[:, row : row + IMAGE, column : column + IMAGE]
            path = folder / f"r{row:03d}_c{column:03d}.tif"
            tiny.write_raster(path, part, 0.5, west, north, CRS.from_epsg(32631), compress="deflate")
