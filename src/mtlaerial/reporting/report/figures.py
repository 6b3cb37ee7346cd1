"""Figures of the report: those of a data set, and those of each method, with their captions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from mtlaerial.figures import Caption, read_caption


@dataclass(frozen=True)
class Figure:
    """A figure on the page.

    Attributes
    ----------
    path : Path
        The PNG.
    caption : Caption
    size : tuple of int
        Width and height in pixels.
    group : str
        Name of its method, of a fold with the fold's; empty for a figure of the data set.
    """

    path: Path
    caption: Caption
    size: tuple[int, int]
    group: str


def report_figures(paths: Sequence[Path], folds: Mapping[str, str], methods: Sequence[str]) -> list[Figure]:
    """Return the figures of some PNGs; those of folds with their data set, and named after the fold.

    Parameters
    ----------
    paths : sequence of Path
    folds : mapping of fold to data set
    methods : sequence of str
        Folders of these names hold figures of a method.
    """
    figures = []
    for path in paths:
        caption = read_caption(path)
        method = path.parent.name if path.parent.name in methods else ""
        if caption.dataset in folds:
            method = f"{method}, {caption.dataset}" if method else ""
            described = f"{caption.dataset}: {caption.description}"
            caption = caption.model_copy(update={"dataset": folds[caption.dataset], "description": described})
        with Image.open(path) as image:
            figures.append(Figure(path, caption, image.size, method))
    return figures
