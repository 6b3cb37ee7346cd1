"""Picture of patches: image, ground truth and prediction side by side."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch as Key

from mtlaerial.config import IGNORED, Task, task_entry
from mtlaerial.config.tasks import tasks_with
from mtlaerial.dashboard.client import Window
from mtlaerial.dashboard.samples import Maps, Patch
from mtlaerial.figures.height_scales import height_scale
from mtlaerial.figures.maps import HEIGHT_COLOURS, NO_DATA
from mtlaerial.figures.style import NODATA, hide_ticks, mark_nodata, named
from mtlaerial.figures.tile_layers import Layer, as_picture
from mtlaerial.tiles.statistics import Statistics

PANEL = 2.0
"""Side of a map in inches."""
DPI = 110
KINDS = ("true", "predicted")


def picture_window(figure: Figure, title: str) -> Window:
    """Return a figure as a window's content."""
    file = io.BytesIO()
    figure.savefig(file, format="webp", dpi=DPI, pil_kwargs={"quality": 90})
    source = "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()
    width, height = (round(inches * DPI) for inches in figure.get_size_inches())
    size = {"width": width, "height": height + 25}  # the window's title has 25 pixels
    return {"data": [{"type": "image", "content": {"src": source, "caption": ""}}], "opts": {"title": title, **size}}


def draw(patches: Sequence[Patch], predicted: Sequence[Maps], statistics: Statistics, heading: str) -> Figure:
    """Draw patches in rows: image, true and predicted classes, true and predicted height.

    Parameters
    ----------
    patches : sequence of Patch
    predicted : sequence of dict of task to array, shape (side, side)
        Predicted class indices and metres of each patch.
    statistics : Statistics
        Source of the data set's title, classes and colours.
    heading : str
        Text after the data set's title.
    """
    tasks = list(predicted[0])
    figure = Figure(
        figsize=((1 + 2 * len(tasks)) * PANEL + 0.8, len(patches) * PANEL + 0.8),
        layout=ConstrainedLayoutEngine(h_pad=0.02, hspace=0.01),
    )
    axes = figure.subplots(len(patches), 1 + 2 * len(tasks), squeeze=False)
    looks = {task: _look(task, patches, statistics) for task in tasks}
    for line, patch, maps in zip(axes, patches, predicted, strict=True):
        _draw_row(line, patch, maps, looks)
    titles = ["image", *(f"{kind} {task_entry(task).title}" for task in tasks for kind in KINDS)]
    for place, title in zip(axes[0], titles, strict=True):
        place.set_title(title, fontsize=10)
    for number, task in enumerate(tasks):
        entry, of_task = task_entry(task), slice(1 + 2 * number, 3 + 2 * number)
        if entry.output == "values":
            bar, label = ScalarMappable(looks[task].norm, looks[task].colours), f"{entry.maps[0].description} (m)"
            figure.colorbar(bar, ax=axes[:, of_task], label=label, extend="both", aspect=30, pad=0.02)
    figure.legend(handles=_key(tasks, statistics), loc="outside lower center", ncols=7, fontsize=9, frameon=False)
    figure.suptitle(f"{named(statistics.title, statistics.generated)}: {heading}", fontsize=12)
    return figure


class _Look(NamedTuple):
    """Colour map of a task's values."""

    colours: Colormap
    norm: Normalize


def _look(task: Task, patches: Sequence[Patch], statistics: Statistics) -> _Look:
    if task_entry(task).output == "values":
        # Scaled by the truth alone, so that pictures of different epochs can be compared.
        heights = [np.ma.masked_invalid(patch.truth[task]) for patch in patches]
        return _Look(colormaps[HEIGHT_COLOURS], height_scale(*heights))
    colours = [colour for _, colour in _classes(statistics)]
    return _Look(ListedColormap(colours), Normalize(-0.5, len(colours) - 0.5))


def _draw_row(line: Sequence[Axes], patch: Patch, maps: Maps, looks: Mapping[Task, _Look]) -> None:
    side = patch.image.shape[-1]
    extent = (0, side, -side, 0)
    layers = iter(line)
    image = Layer(np.ma.masked_invalid(patch.image.numpy()), extent)
    next(layers).imshow(as_picture(image), extent=extent)
    for task, look in looks.items():
        truth = patch.truth[task]
        of_classes = task_entry(task).output == "classes"
        masked = np.ma.masked_equal(truth, IGNORED) if of_classes else np.ma.masked_invalid(truth)
        for values, place in ((masked, patch.extents[task]), (maps[task], extent)):
            next(layers).imshow(values, extent=place, cmap=look.colours, norm=look.norm, interpolation="nearest")
    for axes in line:
        axes.set(xlim=extent[:2], ylim=extent[2:], aspect="equal")
        hide_ticks(axes)
        mark_nodata(axes)
    line[0].set_ylabel(patch.tile, fontsize=9)


def _key(tasks: Sequence[Task], statistics: Statistics) -> list[Key]:
    classes = _classes(statistics) if tasks_with("classes", tasks) else []
    keys = [Key(facecolor=colour, edgecolor="#606060", linewidth=0.5, label=name) for name, colour in classes]
    return [*keys, Key(**NODATA, label=NO_DATA)]


def _classes(statistics: Statistics) -> list[tuple[str, str]]:
    """Return name and colour of each class."""
    return [(entry.name, "#" + bytes(entry.colour).hex()) for entry in statistics.classes]
