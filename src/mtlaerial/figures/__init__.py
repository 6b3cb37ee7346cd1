"""Figures: maps beside the truth, hillshades, curves, gradient conflict, confusions, height errors, uncertainty, tiles.

Each function writes one PNG and returns its figure; the data set, title and description are in the PNG's text fields.
:func:`save_vectors` writes the figure as SVG and PDF, too.
"""

from mtlaerial.figures.conflict import conflict_figure
from mtlaerial.figures.confusion import confusion_figure
from mtlaerial.figures.curves import curves_figure
from mtlaerial.figures.height_errors import height_error_figure
from mtlaerial.figures.hillshade import hillshade_figure
from mtlaerial.figures.label_efficiency import label_efficiency_figure
from mtlaerial.figures.maps import map_figure
from mtlaerial.figures.style import Caption, read_caption, save_vectors
from mtlaerial.figures.tile_map import layout_figure
from mtlaerial.figures.uncertainty import reliability_figure, retention_figure

__all__ = [
    "Caption",
    "conflict_figure",
    "confusion_figure",
    "curves_figure",
    "height_error_figure",
    "hillshade_figure",
    "label_efficiency_figure",
    "layout_figure",
    "map_figure",
    "read_caption",
    "reliability_figure",
    "retention_figure",
    "save_vectors",
]
