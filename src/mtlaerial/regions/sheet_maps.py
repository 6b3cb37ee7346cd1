"""Maps of the sheets of a region by a run, each complete or absent, so that interrupted work goes on."""

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely
from torch import Tensor

from mtlaerial.errors import DataError, UserError
from mtlaerial.maps.qgis_style import style_path
from mtlaerial.maps.stac_item import ITEM
from mtlaerial.prediction.blending.blender import Blender
from mtlaerial.prediction.blending.lattice import Lattice
from mtlaerial.prediction.blending.regrid import axes
from mtlaerial.prediction.blending.targets import Target
from mtlaerial.prediction.finished_maps import is_finished
from mtlaerial.prediction.height_range_meter import HeightRangeMeters
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.prediction.map_files import contents_of, open_maps, scored_channels
from mtlaerial.prediction.map_origin import origin_tags, remove_stale, settings_id
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.prediction.shown_maps import Map, Storage
from mtlaerial.prediction.strip_reader import strip_reader
from mtlaerial.rasters.clipped import ClippedImage
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.image_source import ImageSource
from mtlaerial.regions.mosaic import Mosaic, Span
from mtlaerial.regions.placed_images import OpenImages
from mtlaerial.regions.region import Region
from mtlaerial.regions.sheets import EMPTY, Sheet
from mtlaerial.system.files import discard, remove_leftovers, write_text
from mtlaerial.system.progress import track

log = logging.getLogger(__name__)


class Failure(NamedTuple):
    """A sheet that could not be mapped, and why."""

    sheet: Sheet
    reason: str


class _NoImageError(Exception):
    """Ends the maps of a sheet that has no pixel that is image, so that none appears."""


class _PixelCounter:
    """Counts the pixels of a sheet that are image."""

    def __init__(self) -> None:
        self.valid = 0

    def add(self, row: int, column: int, values: Tensor) -> None:
        """Count those of a block."""
        self.valid += int((~values[0].isnan()).sum())


class SheetMapper:
    """A run, ready to map the sheets of a region.

    Parameters
    ----------
    predictor : Predictor
    region : Region
    folder : Path
        Gets a folder for each sheet.

    Raises
    ------
    DataError
        When a network sees more than its window: the surroundings would depend on the sheet.
    """

    def __init__(self, predictor: Predictor, region: Region, folder: Path) -> None:
        self.predictor, self.region, self.folder = predictor, region, folder
        network = predictor.network
        if network.context_scales:
            expected = "a network that sees its window alone"
            raise DataError(predictor.folder, "a network with context", expected, "Map the images one by one.")
        # Once for all sheets: an area may have many corners.
        self._area_id = "" if region.area is None else hashlib.sha256(shapely.to_wkb(region.area)).hexdigest()
        nodata = predictor.description.statistics.nodata
        self._settings_id = settings_id(predictor.prediction, ImageOptions(), predictor.calibration, nodata)
        self.lattice = Lattice.of(predictor.prediction)
        self.blender = Blender(
            network,
            network.channels,
            self.lattice.layout,
            predictor.batch,
            predictor.device,
            spreads=network.blended_spreads,
            whole_batches=True,
        )

    def map(self, sheets: Sequence[Sheet]) -> list[Failure]:
        """Map sheets that are not mapped yet; return those that failed, after all others were mapped."""
        failures = []
        with OpenImages(self.region, self.predictor.description.statistics) as files:
            for sheet in track(sheets, len(sheets), "mapping", "sheet"):
                if self.is_mapped(sheet):
                    continue
                try:
                    self._map_sheet(sheet, files)
                except UserError as error:
                    log.error("sheet %s: %s", sheet.name, error)
                    failures.append(Failure(sheet, str(error)))
        return failures

    def is_empty(self, sheet: Sheet) -> bool:
        """Return whether a sheet of these images was found to have no pixel that is image for this run."""
        try:
            return (self.folder / sheet.name / EMPTY).read_text(encoding="utf-8") == self._empty_record(sheet)
        except (OSError, UnicodeDecodeError):
            return False

    def is_mapped(self, sheet: Sheet) -> bool:
        """Return whether a sheet was mapped from these images, by this run and these settings, or has no image."""
        return self.is_empty(sheet) or is_finished(
            self.folder / sheet.name, self._origin(sheet), self.predictor.description
        )

    def _map_sheet(self, sheet: Sheet, files: OpenImages) -> None:
        sheet_span = self.region.span_of(sheet)
        span = self._windows_of(sheet_span)
        folder, statistics = self.folder / sheet.name, self.predictor.description.statistics
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
        for stale in (folder / ITEM, folder / EMPTY):
            discard(stale)
        read = strip_reader(Path(sheet.name), self._image(span, files), statistics.range)
        grid, sheet_grid = self.region.grid.window(*span), self.region.grid.window(*sheet_span)
        storage = Storage(self.predictor.prediction, True, self.predictor.calibration)
        arguments = folder, self.predictor.description, self._origin(sheet), self.predictor.network
        counter, maps = _PixelCounter(), self._maps(sheet_grid)
        ranges = HeightRangeMeters(scored_channels(self.predictor.network), statistics.height)
        try:
            with open_maps(*arguments, grid, maps, storage) as targets:
                targets.append(Target(slice(0, 1), *axes(grid, sheet_grid), counter.add))
                for _ in self.blender.run(read, span.rows, span.columns, targets, ranges, folder):
                    pass
                if not counter.valid:
                    raise _NoImageError
            _remove_other_maps(folder, {each.name for each in maps})
            for warning in ranges.warnings(self.lattice.window, self.predictor.patch):
                log.warning("sheet %s: %s", sheet.name, warning)
        except _NoImageError:
            _remove_other_maps(folder, set())
            write_text(folder / EMPTY, self._empty_record(sheet))

    def _image(self, span: Span, files: OpenImages) -> ImageSource:
        statistics = self.predictor.description.statistics
        images = files.placed(self.region.images_of(span))
        origin, dtype = (span.row, span.column), np.dtype(statistics.dtype)
        mosaic: ImageSource = Mosaic(images, origin, len(statistics.bands), dtype)
        if self.region.area is None:
            return mosaic
        return ClippedImage(mosaic, self.region.grid.window(*span).transform, self.region.area)

    def _windows_of(self, span: Span) -> Span:
        """Return the pixels of all windows that cover a pixel of a span."""
        top, bottom = self.lattice.span(span.row, span.row + span.rows)
        left, right = self.lattice.span(span.column, span.column + span.columns)
        return Span(top, left, bottom - top, right - left)

    def _origin(self, sheet: Sheet) -> dict[str, str]:
        """Return the tags of a sheet's maps that name its images, the run, and the settings that they depend on."""
        predictor, identity = self.predictor, self._identity(sheet)
        tags = origin_tags(Path(f"sheet {sheet.name}"), identity, predictor.description, predictor.prediction)
        return {**tags, "SETTINGS_ID": self._settings_id}

    def _empty_record(self, sheet: Sheet) -> str:
        """Return the record of a sheet without image: what decides that, also the value that the run takes for none."""
        description = self.predictor.description
        entries = {"image_id": self._identity(sheet), "run_id": description.sha256}
        return json.dumps({**entries, "nodata": description.statistics.nodata}) + "\n"

    def _identity(self, sheet: Sheet) -> str:
        """Return a hash of the pixels that the maps of a sheet are made of: their place, files and area."""
        span = self._windows_of(self.region.span_of(sheet))
        images = [image.identity for image in self.region.images_of(span)]
        place = repr(self.region.grid.window(*span)), self.region.span_of(sheet)
        values = [*place, images, self.region.stated_range, self._area_id]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()

    def _maps(self, grid: Grid) -> list[Map]:
        contents = contents_of(self.predictor.network, self.predictor.calibration)
        return [Map(content.layer.name, content, grid) for content in contents]


def _remove_other_maps(folder: Path, names: set[str]) -> None:
    """Remove the maps of a sheet by an earlier prediction that are not among the given ones, with their styles."""
    earlier = [path for path in folder.glob("*.tif") if path.stem not in names]
    remove_stale([*earlier, *map(style_path, earlier)], [])
