"""Predicting with a trained run: the test tiles of its data set, or any orthophoto that matches it."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mtlaerial.config import LAYERS, Blend, PredictionSpec
from mtlaerial.config.project import require_dropout, require_multiple, require_overlap
from mtlaerial.errors import MismatchError
from mtlaerial.models.batchnorm_folding import folded
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.prediction.blending.blender import Blender
from mtlaerial.prediction.blending.windows import described
from mtlaerial.prediction.map_files import CONTENTS, Map, open_maps, shown_by
from mtlaerial.prediction.map_network import MapNetwork, Passes, build_blender, inference_forward
from mtlaerial.prediction.monte_carlo_dropout import dropout_forward
from mtlaerial.prediction.seam_meter import SeamMeter
from mtlaerial.rasters.geotiff import open_raster, reading
from mtlaerial.rasters.grid import Grid
from mtlaerial.runs.run import Run, RunDescription, load_description, load_run
from mtlaerial.scoring.seams import seam_ratio
from mtlaerial.system.malloc import keep_freed_memory
from mtlaerial.system.progress import Progress
from mtlaerial.tiles.prepare import ABSENT

log = logging.getLogger(__name__)
GSD_TOLERANCE = 0.1
"""How far an image's GSD may be from the training's, as a share of it."""


class Predictor:
    """A trained run with the engine around it.

    Parameters
    ----------
    folder : Path
        The run's folder.
    prediction : PredictionSpec, optional
        How to predict; by default with least work.

    Raises
    ------
    ConfigError
        When there are to be passes with dropout of a network that has none.
    """

    def __init__(self, folder: Path, prediction: PredictionSpec | None = None) -> None:
        training = load_description(folder).plan.training
        on_gpu = training.accelerator != "cpu" and torch.cuda.is_available()
        self.device = torch.device("cuda" if on_gpu else "cpu")
        self.run: Run = load_run(folder, self.device)
        description = self.run.description
        self.prediction = prediction or PredictionSpec.fitted()
        torch.set_num_threads(training.threads)
        torch.backends.cudnn.deterministic = True  # else transposed convolutions differ each time
        if not on_gpu:
            keep_freed_memory()
        self.network = MapNetwork(
            self._forward(),
            Normalisation(*description.statistics.range),
            self.prediction,
            description.outputs,
            training.height_unit,
        )
        self.blender: Blender = build_blender(
            self.network, self.prediction, description.plan.model.multiple, self.device
        )

    def _forward(self) -> Passes:
        plan, passes = self.run.description.plan, self.prediction.dropout_passes
        require_dropout("prediction.dropout_passes", passes, plan.model)
        model = folded(self.run.model)
        if passes:
            return dropout_forward(model, plan.training.precision, self.device, passes, plan.seed)
        return inference_forward(model, plan.training.precision, self.device)

    def predict_tiles(self, tiles: Sequence[Path], folder: Path) -> None:
        """Write the maps of prepared tiles to ``folder/{tile}``: ``{task}.tif``, with passes also ``height_std.tif``.

        They lie on the grid of the ground truth, or of the image where a layer is absent. With
        ``prediction.image_maps``, ``image_{task}.tif`` and so on beside them lie on the image's grid. ``seams.json``
        tells how much more values change where windows meet than elsewhere.
        """
        for tile in tiles:
            grids = _tile_grids(tile)
            image = grids.pop("image")
            maps = [Map(shows, shows, grids.get(CONTENTS[shows].task, image)) for shows in shown_by(self.network)]
            if self.prediction.image_maps:
                maps += [Map(f"image_{shows}", shows, image) for shows in shown_by(self.network)]
            self._predict(tile / "image.tif", None, image, maps, folder / tile.name, cog=False).save(folder / tile.name)

    def predict_image(
        self, path: Path, folder: Path, bands: Sequence[int] | None = None, gsd: float | None = None
    ) -> None:
        """Write the maps of any orthophoto to ``folder``, as COGs on the image's grid.

        Files are named as by :meth:`predict_tiles`.

        Parameters
        ----------
        path : Path
            The image.
        folder : Path
        bands : sequence of int, optional
            Its bands, counted from 1, in the order of the run's; by default all.
        gsd : float, optional
            Metres per pixel, for an image that does not say so itself.

        Raises
        ------
        MismatchError
            When the image is not what the run was trained on.
        """
        grid = require_match(path, self.run.description, bands, gsd)
        maps = [Map(shows, shows, grid) for shows in shown_by(self.network)]
        seams = self._predict(path, bands, grid, maps, folder, cog=True)
        for task in self.network.outputs:
            if (ratio := seam_ratio([seams.sums], task)) is not None:
                log.info("%s: steps at borders of windows are %.2f of those elsewhere", task, ratio)

    def _predict(
        self, path: Path, bands: Sequence[int] | None, image: Grid, maps: Sequence[Map], folder: Path, cog: bool
    ) -> SeamMeter:
        """Write maps and return the seams in them."""
        size, description = (image.height, image.width), self.run.description
        down, across = self.blender.layout(image.height), self.blender.layout(image.width)
        log.info("%s: %s", path, described(down, across))
        seams = SeamMeter(down, across, {task: self.network.slice_of(task) for task in self.network.outputs})
        with open_raster(path) as source:
            indices = list(bands or source.indexes)

            def read(row: int, column: int, rows: int, columns: int) -> Tensor:
                window = ((row, row + rows), (column, column + columns))
                with reading(path):
                    return torch.from_numpy(source.read(indices, window=window))

            with open_maps(folder, description, self.network, image, maps, cog) as targets:
                name = path.parent.name if path.stem == "image" else path.stem
                bar = Progress(self.blender.windows(*size), f"predicting {name}", "window")
                for number in self.blender.run(read, *size, targets, source.nodata, seams, folder):
                    bar.update(number)
                bar.close()
        return seams


def require_match(path: Path, description: RunDescription, bands: Sequence[int] | None, gsd: float | None) -> Grid:
    """Return the grid of an image that matches what a run was trained on, or say why it does not.

    Raises
    ------
    MismatchError
        When bands, dtype, ground sampling distance or orientation differ.
    """
    statistics = description.statistics
    names = [band.name for band in statistics.bands]
    with open_raster(path) as source:
        grid, count, dtype = Grid.of(source), source.count, source.dtypes[0]
    chosen = list(bands or range(1, count + 1))
    wanted = f"{len(names)} bands ({', '.join(names)})"
    if len(chosen) != len(names):
        raise MismatchError(path, f"{len(chosen)} bands", wanted, "Choose them with --bands, e.g. --bands 1,2,3.")
    if not all(1 <= band <= count for band in chosen):
        raise MismatchError(path, f"{count} bands", f"bands {chosen}", "Correct --bands.")
    if np.dtype(dtype) != np.dtype(statistics.dtype):
        remedy = (
            f"Convert it to {statistics.dtype} with values from {statistics.range[0]:g} to {statistics.range[1]:g}."
        )
        raise MismatchError(path, f"dtype {dtype}", statistics.dtype, remedy)
    _require_gsd(path, grid, statistics.gsd, gsd)
    return grid


def _require_gsd(path: Path, grid: Grid, trained: float, stated: float | None) -> None:
    if grid.crs is not None and grid.crs.is_geographic:
        raise MismatchError(path, "a CRS in degrees", "one in metres", "Reproject it, e.g. gdalwarp -t_srs EPSG:32631.")
    if grid.transform.b or grid.transform.d:
        raise MismatchError(path, "a rotated raster", "one with north up", "Rectify it with gdalwarp.")
    if not grid.georeferenced and stated is None:
        remedy = "Say its pixel size in metres with --gsd."
        raise MismatchError(path, "no georeference", f"about {trained:g} m per pixel", remedy)
    unit = grid.crs.linear_units_factor[1] if grid.crs is not None else 1.0
    found = stated if stated is not None else grid.pixel_size[1] * unit
    if abs(found / trained - 1) > GSD_TOLERANCE:
        remedy = f"Resample it, e.g. gdalwarp -tr {trained:g} {trained:g} -r average."
        raise MismatchError(path, f"{found:g} m per pixel", f"about {trained:g} m", remedy)


def _tile_grids(folder: Path) -> dict[str, Grid]:
    """Return the grids of a prepared tile's image and of the ground truth it has, by task."""
    grids = {}
    for layer, key in zip(LAYERS, ("image", "height", "semantics"), strict=True):
        with open_raster(folder / f"{layer}.tif") as source:
            if source.tags().get("MTLAERIAL") != ABSENT["MTLAERIAL"]:
                grids[key] = Grid.of(source)
    return grids


def prediction_for(
    run: Path, window: int | None, stride: int | None, dropout_passes: int = 0, blend: Blend = "even"
) -> PredictionSpec:
    """Return how to predict with a run: with least work, or as the paper did, but for what is given.

    Raises
    ------
    ConfigError
        When the network does not take such a window, the stride is larger than the window, or there are to be passes
        with dropout of a network that has none.
    """
    plan = load_description(run).plan
    default = PredictionSpec.fitted() if blend == "even" else PredictionSpec()
    size = window or default.window
    require_multiple("--window", size, plan.model)
    require_dropout("--dropout-passes", dropout_passes, plan.model)
    proportional = size * default.stride // default.window
    chosen = {"window": size, "stride": stride or proportional, "dropout_passes": dropout_passes}
    prediction = PredictionSpec.parse({**default.model_dump(), **chosen}, "--window, --stride and --dropout-passes")
    require_overlap("--window, --stride", prediction)
    return prediction
