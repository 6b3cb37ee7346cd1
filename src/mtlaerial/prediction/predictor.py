"""Predictor of a trained run: maps of prepared tiles, or of any orthophoto that matches the training data."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path

import rasterio
import torch
from rasterio.windows import Window

from mtlaerial.config import LAYERS, Layer, PredictionSpec, task_entry
from mtlaerial.config.tasks import installed_entries
from mtlaerial.config.unseen_views import unseen_notes
from mtlaerial.datasets.check.findings import percent
from mtlaerial.errors import DataError
from mtlaerial.maps.qgis_style import style_path
from mtlaerial.maps.stac_item import ITEM
from mtlaerial.prediction.applied_calibration import applied_calibration
from mtlaerial.prediction.blending.blender import Blender
from mtlaerial.prediction.blending.strips import Read
from mtlaerial.prediction.blending.windows import windows_text
from mtlaerial.prediction.image_match import match_image
from mtlaerial.prediction.map_files import Map, Storage, contents_of, missing_notes, open_maps, scored_channels
from mtlaerial.prediction.map_meters import MapMeters
from mtlaerial.prediction.map_network import build_blender
from mtlaerial.prediction.map_origin import image_id, origin_tags, remove_stale, require_replaceable
from mtlaerial.prediction.run_network import network_of
from mtlaerial.prediction.settings import unseen_by_run, usable_threads
from mtlaerial.prediction.strip_reader import strip_reader
from mtlaerial.prediction.views import views_of
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.sparse import require_all_parts
from mtlaerial.rasters.validity import MaskedBands
from mtlaerial.runs.loading import load_networks
from mtlaerial.runs.run import load_description
from mtlaerial.system.files import remove_leftovers
from mtlaerial.system.malloc import keep_freed_memory
from mtlaerial.system.progress import Progress
from mtlaerial.tiles.prepare import ABSENT
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
    """

    def __init__(self, folder: Path, prediction: PredictionSpec | None = None) -> None:
        self.folder, self.description = folder, load_description(folder)
        self.prediction = prediction or self.description.plan.prediction
        trainings = [network.plan.training for network in self.description.networks]
        on_gpu = all(training.accelerator != "cpu" for training in trainings) and torch.cuda.is_available()
        self.device = torch.device("cuda" if on_gpu else "cpu")
        self.runs = load_networks(folder, self.description, self.device)
        torch.set_num_threads(usable_threads(max(training.threads for training in trainings)))
        torch.backends.cudnn.deterministic = True  # transposed convolutions else differ from run to run
        if not on_gpu:
            keep_freed_memory()
        self.network = network_of(self.runs, self.prediction, self.device, self.description.heights)
        multiple = max(run.description.plan.model.multiple for run in self.runs)
        self.blender: Blender = build_blender(self.network, self.prediction, multiple, self.device)
        unseen = unseen_by_run(self.prediction, self.description)
        for note in unseen_notes([(self.description.plan.method, unseen)]):
            log.warning("%s", note)
        for note in missing_notes(self.network):
            log.warning("%s: %s", self.description.name, note)

    def predict_tiles(self, tiles: Sequence[Path], folder: Path) -> None:
        """Write the maps of prepared tiles to ``folder/{tile}``: ``{task}.tif``, with a spread also ``height_std.tif``.

        They have the grid of the ground truth, or of the image where a layer is absent. With
        ``prediction.image_maps``, ``image_{task}.tif`` and so on have the image's grid. ``seams.json`` holds the sums
        of steps of values at windows' borders and elsewhere; ``checkerboard.json`` those of the heights' spectra, and
        ``checkerboard_TASK.json`` those of a further task of heights.
        """
        verify_tiles(tiles, ["image"])
        for tile in tiles:
            grids = _tile_grids(tile)
            image = grids.pop("image")
            contents = contents_of(self.network)
            maps = [Map(of.layer.name, of, grids.get(task_entry(of.task).truth, image)) for of in contents]
            if self.prediction.image_maps:
                maps += [Map(f"image_{of.layer.name}", of, image) for of in contents]
            self._predict(tile / "image.tif", None, image, maps, folder / tile.name).save(folder / tile.name)

    def predict_image(
        self,
        path: Path,
        folder: Path,
        bands: Sequence[int] | None = None,
        gsd: float | None = None,
        replace: bool = False,
    ) -> None:
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

        Raises
        ------
        MismatchError
            When the image does not match the training data.
        DataError
            When it cannot be read, its pixels are damaged, the file lacks some of them, or none is image; or the folder
            has a file of the maps' names that must not be replaced.
        """
        image = match_image(path, self.description, bands, gsd)
        with open_raster(path) as source:
            require_all_parts(self._image_bands(source, image.bands), Window(0, 0, image.grid.width, image.grid.height))
        names = dict.fromkeys(layer.name for entry in installed_entries() for layer in entry.possible_maps)
        possible = [folder / f"{name}.tif" for name in names]
        require_replaceable(path, possible, self._origin(path, image.bands, image.grid), replace, folder / ITEM)
        calibration = applied_calibration(self.folder, self.description, self.prediction)
        maps = [Map(of.layer.name, of, image.grid) for of in contents_of(self.network, calibration)]
        if image.grid.crs is None:
            log.info("%s: no CRS, so the maps have none: give a GIS the CRS when it opens them", path)
        storage = Storage(self.prediction, replace, calibration)
        meters = self._predict(path, image.bands, image.grid, maps, folder, storage)
        written = [folder / f"{name}.tif" for name, _, _ in maps]
        remove_stale([*possible, *map(style_path, possible)], [*written, *map(style_path, written)])
        for line in meters.findings():
            log.info(line)

    def _image_bands(self, source: rasterio.DatasetReader, bands: Sequence[int] | None) -> MaskedBands:
        """Return the bands of an image to predict from; its invalid pixels are told as in training."""
        return MaskedBands(source, bands or source.indexes, self.description.statistics.nodata)

    def _reader(self, path: Path, source: rasterio.DatasetReader, bands: Sequence[int] | None) -> Read:
        """Return the reader of an open image, by which the network sees it."""
        return strip_reader(path, self._image_bands(source, bands), self.description.statistics.range)

    def _origin(self, path: Path, bands: Sequence[int] | None, grid: Grid) -> dict[str, str]:
        """Return the tags of maps that name their image and run."""
        with open_raster(path) as source:
            identity = image_id(self._reader(path, source, bands), grid)
        return origin_tags(path, identity, self.description, self.prediction)

    def _predict(
        self,
        path: Path,
        bands: Sequence[int] | None,
        image: Grid,
        maps: Sequence[Map],
        folder: Path,
        storage: Storage | None = None,
    ) -> MapMeters:
        """Write maps and return the meters that watched them; exact ones without a storage."""
        size, origin = (image.height, image.width), self._origin(path, bands, image)
        down, across = self.blender.layout(image.height), self.blender.layout(image.width)
        log.info("%s: %s", path, windows_text(down, across) + self._passes_text())
        remove_leftovers(folder)
        meters = MapMeters(down, across, scored_channels(self.network))
        with open_raster(path) as source:
            read = self._reader(path, source, bands)
            with open_maps(folder, self.description, origin, self.network, image, maps, storage) as targets:
                name = path.parent.name if path.stem == "image" else path.stem
                bar = Progress(self.blender.count_windows(*size), f"predicting {name}", "window")
                for number in self.blender.run(read, *size, targets, meters, folder, MapMeters.CONTEXT):
                    bar.update(number)
                bar.close()
                if not meters.coverage.valid:
                    remedy = "Check its no-data tag, alpha band or mask."
                    raise DataError(path, "no pixel that is image", "an image", remedy)
        if empty := meters.coverage.without_image:
            log.info("%s: %s of the pixels are no image and not mapped", path, percent(empty))
        return meters

    def _passes_text(self) -> str:
        """Return how many passes a window costs, and why, as an addition to a sentence; nothing for a single one."""
        views, passes = len(views_of(self.prediction.views)), max(1, self.prediction.dropout_passes)
        factors = {"networks": len(self.runs), "views": views, "passes with dropout": passes}
        several = [f"{number} {name}" for name, number in factors.items() if number > 1]
        return f"; {math.prod(factors.values())} passes each: {' x '.join(several)}" if several else ""


def _tile_grids(folder: Path) -> dict[Layer, Grid]:
    """Return the grids of a prepared tile by layer: its image's, and those of the ground truth that is present."""
    grids: dict[Layer, Grid] = {}
    for layer in LAYERS:
        with open_raster(folder / f"{layer}.tif") as source:
            if source.tags().get("MTLAERIAL") != ABSENT["MTLAERIAL"]:
                grids[layer] = Grid.of(source)
    return grids
