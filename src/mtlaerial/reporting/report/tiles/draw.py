"""Drawing of one tile: reads its layers one after the other, and writes their pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rasterio.enums import Resampling

from mtlaerial.config import Task, TaskEntry, task_entry
from mtlaerial.config.tasks import registry_order
from mtlaerial.figures.tile_layers import Extent, Frame, Layer, as_picture, read_grid, read_layer
from mtlaerial.figures.truth_layer import read_truth
from mtlaerial.rasters.grid import Grid
from mtlaerial.reporting.report.tiles.colours import (
    Rgba,
    class_colours,
    error_colours,
    height_colours,
    uncertainty_colours,
    wrong_colours,
)
from mtlaerial.reporting.report.tiles.keys import task_keys
from mtlaerial.reporting.report.tiles.pictures import Key, Kind, MethodRow, Picture, Share, TileSheet
from mtlaerial.reporting.report.tiles.scales import Scales, scales_of
from mtlaerial.reporting.report.tiles.uncertainty import read_uncertainty, uncertainty_map
from mtlaerial.reporting.report.tiles.webp import write_pictures
from mtlaerial.runs.run import RunDescription

SIDE = 4096
"""Largest width and height of a picture: wider layers are reduced, images by their mean."""


@dataclass(frozen=True)
class MethodMaps:
    """Maps of a method on a tile.

    Attributes
    ----------
    method : str
    description : RunDescription
        Of the run that predicted them.
    maps : Path
        Folder with the maps of the tile.
    scores : str
        Scores on the tile, as text.
    """

    method: str
    description: RunDescription
    maps: Path
    scores: str = ""


def draw_tile(tile: Path, methods: Sequence[MethodMaps], folder: Path, side: int) -> TileSheet:
    """Write the pictures of a tile: image, and truth, prediction, error and uncertainty of each task.

    In memory are the truth of a task and one layer of one method at a time.

    Parameters
    ----------
    tile : Path
        Folder of the prepared tile, by whose name it is called.
    methods : sequence of MethodMaps
        At least one, of one data set.
    folder : Path
        Where the pictures go.
    side : int
        Largest width and height of previews.

    Raises
    ------
    DataError
        When a raster cannot be read, or a picture not written.
    """
    statistics = methods[0].description.statistics
    grid = read_grid(tile / "image.tif")
    frame = Frame.of(grid, statistics.gsd)
    sheet = _Sheet(tile, frame, frame.extent(grid), folder, side)
    image = read_layer(tile / "image.tif", frame, SIDE, resampling=Resampling.average)
    shared = [sheet.write("image", "", "image", as_picture(image), image.extent, "image")]
    del image
    pictures: dict[str, list[Picture]] = {each.method: [] for each in methods}
    keys: list[Key] = []
    for task in _tasks(methods):
        learners = [each for each in methods if task in each.description.plan.tasks]
        drawn = _TaskPictures(sheet, task_entry(task), learners)
        shared += drawn.truth()
        for each in learners:
            pictures[each.method] += drawn.of(each)
        keys += drawn.keys()
    rows = [MethodRow(each.method, each.scores, pictures[each.method]) for each in methods]
    return TileSheet(tile.name, _size_text(grid, sheet.extent), sheet.aspect, shared, rows, keys)


def _tasks(methods: Sequence[MethodMaps]) -> list[Task]:
    tasks = dict.fromkeys(task for each in methods for task in each.description.plan.tasks)
    return sorted(tasks, key=registry_order)


def _size_text(grid: Grid, extent: Extent) -> str:
    left, right, bottom, top = extent
    return f"{grid.width} × {grid.height} pixels, {right - left:.4g} × {top - bottom:.4g} m"


@dataclass(frozen=True)
class _Sheet:
    """Where the pictures of a tile go, and where they lie in it."""

    tile: Path
    frame: Frame
    extent: Extent
    folder: Path
    side: int

    @property
    def aspect(self) -> float:
        left, right, bottom, top = self.extent
        return (right - left) / (top - bottom)

    def write(
        self, kind: Kind, task: str, title: str, pixels: Rgba, extent: Extent, name: str, method: str = "",
        flat: bool = False,
    ) -> Picture:  # fmt: skip
        """Write a picture by its name below the folder, and its preview."""
        full, preview = self.folder / f"{name}.webp", self.folder / f"{name}.preview.webp"
        size, preview_size = write_pictures(pixels, full, preview, self.side, flat)
        return Picture(kind, task, title, full, preview, size, preview_size, self._place(extent), method)

    def _place(self, extent: Extent) -> Share:
        left, right, bottom, top = self.extent
        width, height = right - left, top - bottom
        return (
            (extent[0] - left) / width,
            (top - extent[3]) / height,
            (extent[1] - extent[0]) / width,
            (extent[3] - extent[2]) / height,
        )


class _TaskPictures:
    """Pictures of a task on a tile, on scales that are common to all methods."""

    def __init__(self, sheet: _Sheet, entry: TaskEntry, methods: Sequence[MethodMaps]) -> None:
        self.sheet, self.entry, self.methods = sheet, entry, methods
        self.scales: Scales = scales_of(sheet.tile, entry, [each.maps for each in methods], sheet.frame)
        self.classes = methods[0].description.statistics.classes
        self.true = read_truth(sheet.tile, entry, sheet.frame, SIDE)

    def truth(self) -> Iterator[Picture]:
        """Write the truth; nothing where the tile has none."""
        if not self.true.empty:
            yield self._write("truth", f"true {self.entry.title}", self._shown(self.true), self.true)

    def of(self, method: MethodMaps) -> Iterator[Picture]:
        """Write prediction, error and uncertainty of a method."""
        entry, frame = self.entry, self.sheet.frame
        predicted = read_layer(method.maps / f"{entry.map_name}.tif", frame, SIDE).scaled(entry.metres)
        yield self._write("prediction", f"predicted {entry.title}", self._shown(predicted), predicted, method.method)
        if not self.true.empty:
            title = f"wrong {entry.title}" if entry.output == "classes" else f"{entry.title} error"
            yield self._write("error", title, self._wrong(predicted), self.true, method.method)
        del predicted
        if source := uncertainty_map(method.maps, entry):
            layer = read_uncertainty(source, frame, SIDE)
            pixels = uncertainty_colours(layer.band, self.scales.uncertainty)
            yield self._write("uncertainty", f"uncertainty of {entry.plural}", pixels, layer, method.method)

    def keys(self) -> Iterator[Key]:
        """Yield the keys of the colours."""
        sources = filter(None, (uncertainty_map(each.maps, self.entry) for each in self.methods))
        labels = " or ".join(dict.fromkeys(source.label for source in sources))
        return task_keys(self.entry, self.scales, self.classes, labels, not self.true.empty)

    def _shown(self, layer: Layer) -> Rgba:
        if self.entry.output == "classes":
            return class_colours(layer, [each.colour for each in self.classes])
        return height_colours(layer, self.scales.low, self.scales.high)

    def _wrong(self, predicted: Layer) -> Rgba:
        if self.entry.output == "classes":
            return wrong_colours(self.true, predicted)
        return error_colours(self.true, predicted, self.scales.error)

    def _write(self, kind: Kind, title: str, pixels: Rgba, layer: Layer, method: str = "") -> Picture:
        task, folder = self.entry.name, f"methods/{method}/" if method else ""
        flat = self.entry.output == "classes" and kind in ("truth", "prediction")
        name = f"{folder}{task}_{kind}"
        return self.sheet.write(kind, task, title, pixels, layer.extent, name, method, flat)
