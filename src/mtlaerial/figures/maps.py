"""Figure of a tile's maps beside the ground truth."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.image import AxesImage
from matplotlib.patches import Patch

from mtlaerial.config import IGNORED, Task, TaskEntry, task_entry
from mtlaerial.config.task_entry import Output
from mtlaerial.figures.height_scales import height_error, height_scale, scale_limit
from mtlaerial.figures.style import NODATA, Caption, hide_ticks, mark_nodata, named, save, scale_bar
from mtlaerial.figures.tile_layers import Extent, Frame, Layer, as_picture, read_grid, read_layer
from mtlaerial.figures.truth_layer import read_truth
from mtlaerial.runs.run import RunDescription

PANEL = 3.1
"""Width of a map in inches."""
TITLE_HEIGHT = 0.32
"""Inches above each row of maps, for their titles."""
VERDICTS = ("right", "#e3ecf4"), ("wrong", "#c1272d")
NO_DATA = "no data"
HEIGHT_COLOURS, ERROR_COLOURS, ABSOLUTE_COLOURS = "viridis", "RdBu_r", "magma"


def map_figure(tile: Path, maps: Path, description: RunDescription, path: Path) -> Figure:
    """Draw image, true, predicted and wrong classes, true, predicted and wrong heights of a tile.

    Values are drawn in metres. For each map of a deviation, such as ``height_std.tif``, a last row shows it beside the
    absolute error.

    Parameters
    ----------
    tile : Path
        Folder with the prepared ``image.tif``, ``labels.tif`` and ``height.tif``; its name is the tile's.
    maps : Path
        Folder with the predicted maps of the run's tasks, such as ``semantics.tif`` and ``height.tif``.
    description : RunDescription
        The run's description.
    path : Path
        The PNG to write.

    Returns
    -------
    Figure
        A row of axes per task, and one for each uncertainty. Layers may have different grids; each is read at 800
        pixels a side at most.

    Raises
    ------
    DataError
        When a raster cannot be read.
    """
    plan, statistics = description.plan, description.statistics
    grid = read_grid(tile / "image.tif")
    frame = Frame.of(grid, statistics.gsd)
    entries = [task_entry(task) for task in plan.tasks]
    deviations = {entry.name: maps / f"{entry.deviation.name}.tif" for entry in entries if entry.deviation}
    uncertain = {task: path for task, path in deviations.items() if path.exists()}
    sheet = _Sheet(description, frame.extent(grid), list(uncertain))
    sheet.draw_image(read_layer(tile / "image.tif", frame))
    for row, entry in enumerate(entries):
        true, predicted = read_truth(tile, entry, frame), read_layer(maps / f"{entry.map_name}.tif", frame)
        if entry.output == "classes":
            sheet.draw_classes(row, entry, true, predicted)
        else:
            sheet.draw_heights(row, entry, true, predicted.scaled(entry.metres))
        if entry.name in uncertain:
            deviation = read_layer(uncertain[entry.name], frame).scaled(entry.metres)
            sheet.draw_uncertainty(entry, true, predicted.scaled(entry.metres), deviation)
    heading = f"{named(statistics.title, statistics.generated)}: {tile.name}"
    sheet.figure.suptitle(
        f"{heading}\n{plan.method}, seed {plan.seed}", fontsize=12, y=1 - 0.12 / sheet.height, va="top"
    )
    learned = " and ".join(entry.plural for entry in entries)
    text = f"{tile.name}, {plan.method}, seed {plan.seed}: image; true and predicted {learned}, and where they differ."
    for title in (entry.title for entry in entries if entry.name in uncertain):
        text += f" {title[:1].upper()}{title[1:]} uncertainty beside the absolute {title} error."
    return save(sheet.figure, path, Caption(dataset=plan.dataset, title=heading, description=text))


class _Sheet:
    """Layout: a row per task with true, predicted and wrong; the image at the left of the first; uncertainty last.

    Under each row is a strip for its key. The classes' key is below the image instead, if it fits there.
    """

    def __init__(self, description: RunDescription, extent: Extent, uncertain: Sequence[Task]) -> None:
        self.tasks, self.uncertain, self.extent = description.plan.tasks, uncertain, extent
        self.classes = [(entry.name, "#" + bytes(entry.colour).hex()) for entry in description.statistics.classes]
        aspect = min(2.0, max(0.5, (extent[3] - extent[2]) / (extent[1] - extent[0])))
        names = [name for name, _ in (*self.classes, *VERDICTS)] + [NO_DATA]
        self.key_columns = max(1, int(4 * PANEL / (0.5 + 0.08 * max(map(len, names)))))
        self.key_size = min(9.0, 50 * PANEL * aspect / len(names))
        self.key_below_image = len(self.tasks) > 1 and self.key_size >= 7
        class_strip = 0.1 if self.key_below_image else 0.35 + 0.21 * -(-len(names) // self.key_columns)
        strip_heights: dict[Output, float] = {"classes": class_strip, "values": 0.62}
        strips = [strip_heights[task_entry(task).output] for task in self.tasks] + [0.62] * len(uncertain)
        heights = [part for strip in strips for part in (TITLE_HEIGHT, PANEL * aspect, strip)]
        self.height, self.width = sum(heights) + 0.65, 4 * PANEL + 0.6
        self.figure = Figure(figsize=(self.width, self.height))
        self.cells: GridSpec = self.figure.add_gridspec(
            len(heights), 4, height_ratios=heights, wspace=0.04, hspace=0, left=0.15 / self.width,
            right=1 - 0.15 / self.width, bottom=0.05 / self.height, top=1 - 0.55 / self.height,
        )  # fmt: skip

    def draw_image(self, image: Layer) -> None:
        """Draw the image, with the scale bar."""
        axes = self._axes(0, 0, "image")
        axes.imshow(as_picture(image), extent=image.extent)
        self._frame(axes)
        scale_bar(axes, self.extent[1] - self.extent[0])

    def draw_classes(self, row: int, entry: TaskEntry, true: Layer, predicted: Layer) -> None:
        """Draw true, predicted and wrong classes, and their key."""
        palette = ListedColormap([colour for _, colour in self.classes])
        norm = Normalize(-0.5, len(self.classes) - 0.5)
        self._map(row, 1, f"true {entry.title}", true, true.band, palette, norm)
        self._map(row, 2, f"predicted {entry.title}", predicted, predicted.band, palette, norm)
        wrong = np.ma.masked_array(true.band.data != predicted.at(true).filled(IGNORED), np.ma.getmaskarray(true.band))
        verdict = ListedColormap([colour for _, colour in VERDICTS])
        self._map(row, 3, f"wrong {entry.title}", true, wrong, verdict, Normalize(0, 1))
        self._class_key(row)

    def draw_heights(self, row: int, entry: TaskEntry, true: Layer, predicted: Layer) -> None:
        """Draw true and predicted heights on one scale, and the error on a scale centred on 0."""
        scale, title = height_scale(true.band, predicted.band), entry.title
        heights = self._map(row, 1, f"true {title}", true, true.band, HEIGHT_COLOURS, scale)
        self._map(row, 2, f"predicted {title}", predicted, predicted.band, HEIGHT_COLOURS, scale)
        error = height_error(true, predicted)
        limit = scale_limit(np.ma.abs(error), least=0.5)
        errors = self._map(row, 3, f"{title} error", true, error, ERROR_COLOURS, Normalize(-limit, limit))
        self._bar(row, slice(1, 3), heights, f"{entry.maps[0].description} (m)")
        self._bar(row, slice(3, 4), errors, f"predicted minus true {title} (m)")

    def draw_uncertainty(self, entry: TaskEntry, true: Layer, predicted: Layer, uncertainty: Layer) -> None:
        """Draw uncertainty and absolute error in a last row, each on a scale from 0."""
        row, error = len(self.tasks) + self.uncertain.index(entry.name), np.ma.abs(height_error(true, predicted))
        name = entry.title
        for column, title, layer, values, label in (
            (2, f"{name} uncertainty", uncertainty, uncertainty.band, "standard deviation (m)"),
            (3, f"absolute {name} error", true, error, f"absolute difference to true {name} (m)"),
        ):
            scale = Normalize(0, scale_limit(values, least=0.1))
            picture = self._map(row, column, title, layer, values, ABSOLUTE_COLOURS, scale)
            self._bar(row, slice(column, column + 1), picture, label, extend="max")

    def _map(
        self, row: int, column: int, title: str, layer: Layer, values: np.ma.MaskedArray, cmap: Colormap | str,
        norm: Normalize,
    ) -> AxesImage:  # fmt: skip
        axes = self._axes(row, column, title)
        picture = axes.imshow(values, extent=layer.extent, cmap=cmap, norm=norm, interpolation="nearest")
        self._frame(axes)
        if layer.empty:
            axes.text(0.5, 0.5, "no ground truth", transform=axes.transAxes, ha="center", va="center", fontsize=10,
                      bbox={"facecolor": "white", "edgecolor": "none"})  # fmt: skip
        return picture

    def _axes(self, row: int, column: int, title: str) -> Axes:
        axes = self.figure.add_subplot(self.cells[3 * row + 1, column])
        axes.set_title(title, fontsize=10, pad=4)
        return axes

    def _frame(self, axes: Axes) -> None:
        left, right, bottom, top = self.extent
        axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", anchor="C")
        hide_ticks(axes)
        mark_nodata(axes)

    def _class_key(self, row: int) -> None:
        patches = [Patch(facecolor=colour, edgecolor="#606060", linewidth=0.5, label=name)
                   for name, colour in (*self.classes, *VERDICTS)]  # fmt: skip
        patches.append(Patch(**NODATA, label=NO_DATA))
        first = next(index for index, task in enumerate(self.tasks) if task_entry(task).output == "classes")
        if self.key_below_image and row != first:
            return
        axes = self.figure.add_subplot(self.cells[4, 0] if self.key_below_image else self.cells[3 * row + 2, :])
        axes.set_axis_off()
        columns, size = (1, self.key_size) if self.key_below_image else (self.key_columns, 9)
        axes.legend(handles=patches, loc="center", ncols=columns, fontsize=size, frameon=False, borderpad=0)

    def _bar(self, row: int, columns: slice, picture: AxesImage, label: str, extend: str = "both") -> None:
        axes = self.figure.add_subplot(self.cells[3 * row + 2, columns])
        axes.set_axis_off()
        inner = axes.inset_axes((0.1, 0.72, 0.8, 0.17))
        self.figure.colorbar(picture, cax=inner, orientation="horizontal", label=label, extend=extend)
        inner.tick_params(labelsize=8)
