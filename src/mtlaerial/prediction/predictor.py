"""Predictor of a trained run: maps of prepared tiles, or of any orthophoto that matches the training data."""

import dataclasses
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import torch

from mtlaerial.config import PredictionSpec, task_entry
from mtlaerial.config.unseen_views import unseen_notes
from mtlaerial.errors import DataError
from mtlaerial.prediction.applied_calibration import AppliedCalibration, applied_calibration
from mtlaerial.prediction.blending.blender import Blender
from mtlaerial.prediction.blending.windows import windows_text
from mtlaerial.prediction.compute import device_of, threads_of
from mtlaerial.prediction.cost_meter import PredictionMeter
from mtlaerial.prediction.image_maps import image_origin, sampled_origin, write_image_maps
from mtlaerial.prediction.image_match import MatchingImage, match_image
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.prediction.lone_pixels import report_lone_pixels
from mtlaerial.prediction.map_files import contents_of, missing_notes, open_maps, scored_channels
from mtlaerial.prediction.map_meters import MapMeters
from mtlaerial.prediction.map_network import build_blender
from mtlaerial.prediction.opened_image import open_image, report_reading
from mtlaerial.prediction.run_network import network_of
from mtlaerial.prediction.settings import unseen_by_run
from mtlaerial.prediction.shown_maps import Map, Storage
from mtlaerial.prediction.strip_reader import strip_reader
from mtlaerial.prediction.tile_grids import tile_grids
from mtlaerial.prediction.views import views_of
from mtlaerial.prediction.window_batch import GPUMemory, window_batch
from mtlaerial.runs.cost import PredictionCost
from mtlaerial.runs.loading import load_networks
from mtlaerial.runs.run import load_description
from mtlaerial.system.files import remove_leftovers
from mtlaerial.system.malloc import keep_freed_memory
from mtlaerial.system.progress import Progress
from mtlaerial.tiles.record import verify_tiles

log = logging.getLogger(__name__)


class Predictor:
    """A trained run, or an ensemble of runs, ready to write maps.

    Parameters
    ----------
    folder : Path
        The folder of the run or the ensemble.
    prediction : PredictionSpec, optional
        By default the one by which the run is scored.

    Raises
    ------
    ConfigError
        When the windows do not fit a network, passes with dropout are asked of one without dropout, or the networks
        cannot serve the spread or a layer.
    DeviceError
        When the prediction is to be on a GPU and there is none.
    """

    def __init__(self, folder: Path, prediction: PredictionSpec | None = None) -> None:
        self.folder, self.description = folder, load_description(folder)
        self.prediction = prediction or self.description.plan.prediction
        trainings = [network.plan.training for network in self.description.networks]
        self.device = device_of(self.prediction, trainings)
        self._meter = PredictionMeter(self.device)
        self.runs = load_networks(folder, self.description, self.device)
        torch.set_num_threads(threads_of(self.prediction, trainings))
        torch.backends.cudnn.deterministic = True  # transposed convolutions else differ from run to run
        if self.device.type == "cpu":
            keep_freed_memory()
        self.network = network_of(self.runs, self.prediction, self.device, self.description.heights)
        multiple = max(run.description.plan.model.multiple for run in self.runs)
        memory = GPUMemory(self.device) if self.device.type == "cuda" else None
        self.batch = window_batch(self.network, self.prediction, len(self.description.statistics.bands), memory)
        windows = self.prediction.model_copy(update={"batch": self.batch})
        self.blender: Blender = build_blender(self.network, windows, multiple, self.device)
        unseen = unseen_by_run(self.prediction, self.description)
        for note in unseen_notes([(self.description.plan.method, unseen)]):
            log.warning("%s", note)
        for note in missing_notes(self.network):
            log.warning("%s: %s", self.description.name, note)

    @cached_property
    def calibration(self) -> AppliedCalibration | None:
        """The calibration of the run that maps of images apply; None where there is none that holds."""
        return applied_calibration(self.folder, self.description, self.prediction)

    def predict_tiles(
        self, tiles: Sequence[Path], folder: Path, match: Callable[[Path], MatchingImage] | None = None
    ) -> PredictionCost:
        """Write the maps of prepared tiles to ``folder/{tile}``: ``{task}.tif``, with a spread also ``height_std.tif``.

        They have the grid of the ground truth, or of the image where a layer is absent. With
        ``prediction.image_maps``, ``image_{task}.tif`` and so on have the image's grid. ``seams.json`` holds the sums
        of steps of values at windows' borders and elsewhere; ``checkerboard.json`` those of the heights' spectra, and
        ``checkerboard_TASK.json`` those of a further task of heights.

        Parameters
        ----------
        tiles : sequence of Path
            Folders of prepared tiles.
        folder : Path
        match : callable, optional
            Takes the path of a tile's image and returns how it is read, for tiles of other data than the run's; by
            default as it is.

        Returns
        -------
        PredictionCost
            Of all predictions of this predictor.
        """
        verify_tiles(tiles, ["image"])
        for tile in tiles:
            grids = tile_grids(tile)
            image_grid = grids.pop("image")
            image = match(tile / "image.tif") if match else MatchingImage(tile / "image.tif", image_grid)
            contents = contents_of(self.network)
            maps = [Map(of.layer.name, of, grids.get(task_entry(of.task).truth, image_grid)) for of in contents]
            if self.prediction.image_maps:
                maps += [Map(f"image_{of.layer.name}", of, image_grid) for of in contents]
            self.run_over(image, maps, folder / tile.name, sampled_origin(self, image)).save(folder / tile.name)
        return self.cost

    def predict_image(
        self,
        path: Path,
        folder: Path,
        bands: Sequence[int] | None = None,
        gsd: float | None = None,
        replace: bool = False,
        options: ImageOptions | None = None,
    ) -> PredictionCost:
        """Write the maps of any orthophoto to ``folder``, as COGs on the image's grid, with styles and a STAC Item.

        Files are named as by :meth:`predict_tiles`; ``prediction.height_encoding`` says how heights are stored. With
        ``prediction.interval``, a calibrated run also writes ``height_lower.tif`` and ``height_upper.tif``; its
        probabilities and their entropy are calibrated. Earlier maps of the same image by the same run are replaced.

        Parameters
        ----------
        path : Path
            The image.
        folder : Path
        bands : sequence of int, optional
            Bands of the image, counted from 1, in the order of the run's; by default those it was trained on.
        gsd : float, optional
            Metres per pixel, for an image without georeference.
        replace : bool
            Replace maps of another image or another run in the folder too.
        options : ImageOptions, optional
            How an image that differs from the training data is made to match; ``bands`` and ``gsd``, where they are
            given, replace those in it.

        Returns
        -------
        PredictionCost
            Of all predictions of this predictor.

        Raises
        ------
        MismatchError
            When the image does not match the training data.
        DataError
            When it cannot be read, its pixels are damaged, the file lacks some of them, or none is image; or the folder
            has a file of the maps' names that must not be replaced.
        """
        options = options or ImageOptions()
        bands, gsd = options.bands if bands is None else bands, options.gsd if gsd is None else gsd
        options = dataclasses.replace(options, bands=bands, gsd=gsd)
        image = match_image(path, self.description, options)
        write_image_maps(self, image, folder, image_origin(self, image), replace)
        return self.cost

    @property
    def cost(self) -> PredictionCost:
        """Time and memory of all predictions of this predictor; of one that has predicted."""
        return self._meter.cost()

    @property
    def has_predicted(self) -> bool:
        """Whether there was a prediction."""
        return self._meter.pixels > 0

    def run_over(
        self,
        image: MatchingImage,
        maps: Sequence[Map],
        folder: Path,
        origin: Mapping[str, str],
        storage: Storage | None = None,
    ) -> MapMeters:
        """Write maps and return the meters that watched them; exact ones without a storage."""
        path, grid, statistics = image.path, image.predicted_grid, self.description.statistics
        size = grid.height, grid.width
        down, across = map(self.blender.layout, size)
        log.info("%s: %s", path, windows_text(down, across) + self._passes_text())
        if self.network.blended_spreads:
            report_lone_pixels(path, down, across)
        remove_leftovers(folder)
        meters = MapMeters(down, across, scored_channels(self.network), statistics.height)
        with self._meter.predicting(grid.height * grid.width), open_image(image, statistics) as opened:
            read = strip_reader(path, opened.pixels, statistics.range)
            with open_maps(folder, self.description, origin, self.network, grid, maps, storage) as targets:
                name = path.parent.name if path.stem == "image" else path.stem
                bar = Progress(self.blender.count_windows(*size), f"predicting {name}", "window")
                for number in self.blender.run(read, *size, targets, meters, folder, MapMeters.CONTEXT):
                    bar.update(number)
                bar.close()
                if not meters.coverage.valid:
                    remedy = "Check its no-data tag, alpha band or mask."
                    raise DataError(path, "no pixel that is image", "an image", remedy)
            report_reading(image, opened, meters.coverage.without_image)
        for warning in meters.warnings(self.patch):
            log.warning("%s: %s", path, warning)
        return meters

    @property
    def patch(self) -> int:
        """Side in pixels of the smallest patches that a network of the run was trained on."""
        return min(run.plan.training.patch for run in self.description.networks)

    def _passes_text(self) -> str:
        """Return how many passes a window costs, and why, as an addition to a sentence; nothing for a single one."""
        views, passes = len(views_of(self.prediction.views)), max(1, self.prediction.dropout_passes)
        factors = {"networks": len(self.runs), "views": views, "passes with dropout": passes}
        several = [f"{number} {name}" for name, number in factors.items() if number > 1]
        return f"; {math.prod(factors.values())} passes each: {' x '.join(several)}" if several else ""
