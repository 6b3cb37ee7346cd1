"""Colours of layers: from the file's colour table, from its style for QGIS, or by default."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from mtlaerial.maps.layer import VIRIDIS, Category, Colour, Palette, Ramp
from mtlaerial.maps.qgis_style import style_path
from mtlaerial.viewer.source import unscaled

LARGEST_STYLE = 2**20
"""Bytes of a style; one of QGIS has some kilobytes."""
DISTINCT: tuple[Colour, ...] = (
    (136, 136, 136),
    (204, 51, 51),
    (153, 204, 102),
    (34, 119, 51),
    (68, 119, 204),
    (221, 170, 51),
    (153, 85, 187),
    (85, 187, 187),
)
"""Colours of classes that have none of their own, over and over again."""
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_CLASS = re.compile(r"CLASS_(\d{1,3})")


@dataclass(frozen=True)
class Style:
    """Styles that a layer's file for QGIS names; None where it has none of a kind."""

    palette: Palette | None = None
    ramp: Ramp | None = None


def palette_of(dataset: rasterio.DatasetReader, styled: Style) -> Palette:
    """Return the classes of a layer of codes: names of its tags, colours of QGIS's style or its colour table."""
    tags = dataset.tags()
    names = {int(match[1]): text for key, text in tags.items() if (match := _CLASS.fullmatch(key))}
    colours: dict[int, Colour] = {code: DISTINCT[code % len(DISTINCT)] for code in names}
    with suppress(ValueError):  # without a colour table
        colours |= {code: colour[:3] for code, colour in dataset.colormap(1).items() if code in names}
    if styled.palette:
        colours |= {code: colour for code, _, colour in styled.palette.categories if code in names}
    return Palette(tuple(Category(code, names[code], colours[code]) for code in sorted(names)))


def fitted_ramp(dataset: rasterio.DatasetReader) -> Ramp:
    """Return viridis between the 1st and 99th percentile of a raster's values."""
    values = unscaled(dataset, [1], _sample(dataset))
    finite = values[np.isfinite(values)]
    low, high = (float(value) for value in np.percentile(finite, (1, 99))) if finite.size else (0.0, 1.0)
    return viridis(low, high if high > low else low + 1)


def viridis(low: float, high: float) -> Ramp:
    """Return a ramp between two values."""
    steps = np.linspace(low, high, len(VIRIDIS)).tolist()
    return Ramp(tuple(zip(steps, VIRIDIS, strict=True)))


def read_style(path: Path) -> Style:
    """Return the styles of a raster's ``.qml``, which a user may have edited; none of a kind that is not shown here."""
    file = style_path(path)
    try:
        if file.is_symlink() or file.stat().st_size > LARGEST_STYLE:
            return Style()
        text = file.read_text(encoding="utf-8")
        root = ET.fromstring(text) if "<!ENTITY" not in text else None
    except (OSError, UnicodeDecodeError, ET.ParseError):
        return Style()
    return Style() if root is None else Style(_palette(root), _ramp(root))


def _palette(root: ET.Element) -> Palette | None:
    entries = [
        Category(int(entry.get("value", "")), entry.get("label", ""), _colour(entry))
        for entry in root.iter("paletteEntry")
        if entry.get("value", "").isdecimal() and _COLOUR.fullmatch(entry.get("color", ""))
    ]
    return Palette(tuple(entries)) if entries else None


def _ramp(root: ET.Element) -> Ramp | None:
    stops = []
    for item in root.iter("item"):
        with suppress(ValueError):
            if _COLOUR.fullmatch(item.get("color", "")):
                stops.append((float(item.get("value", "")), _colour(item)))
    values = [value for value, _ in stops]
    ascending = all(first < second for first, second in pairwise(values))
    return Ramp(tuple(stops)) if len(stops) > 1 and ascending and np.isfinite(values).all() else None


def _colour(element: ET.Element) -> Colour:
    red, green, blue = bytes.fromhex(element.get("color", "")[1:])
    return red, green, blue


def _sample(dataset: rasterio.DatasetReader, side: int = 512) -> Any:
    """Return the first band, shape (1, rows, columns): an overview of it, or its middle where it has none."""
    height, width = min(side, dataset.height), min(side, dataset.width)
    if dataset.overviews(1):
        return dataset.read([1], out_shape=(1, height, width), masked=True)
    return dataset.read([1], window=middle(dataset, side), masked=True)


def middle(dataset: rasterio.DatasetReader, side: int) -> Window:
    """Return the window in the middle of a raster, of at most ``side`` pixels."""
    height, width = min(side, dataset.height), min(side, dataset.width)
    return Window((dataset.width - width) // 2, (dataset.height - height) // 2, width, height)


def lookup_table(palette: Palette) -> NDArray[np.uint8]:
    """Return colours by code, shape (256, 4); codes that are no class are transparent."""
    table = np.zeros((256, 4), dtype=np.uint8)
    for code, _, colour in palette.categories:
        table[code] = (*colour, 255)
    return table


def ramp_colours(ramp: Ramp, values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the colours of values, shape (rows, columns, 4); transparent where a value is NaN."""
    positions = [value for value, _ in ramp.stops]
    channels: Sequence[Sequence[int]] = list(zip(*(colour for _, colour in ramp.stops), strict=True))
    visible = np.isfinite(values)
    filled = np.where(visible, values, positions[0])
    coloured = [np.interp(filled, positions, channel).round().astype(np.uint8) for channel in channels]
    return np.stack([*coloured, np.where(visible, 255, 0).astype(np.uint8)], axis=-1)
