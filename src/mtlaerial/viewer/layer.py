"""Layers of the map: rasters of one kind and one legend, of all maps in the folder."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
import rasterio

from mtlaerial.maps.layer import Palette, Ramp
from mtlaerial.viewer.image_bands import band_names, colour_bands
from mtlaerial.viewer.mercator import DEEPEST_ZOOM, Bounds, union, zoom_of
from mtlaerial.viewer.source import Source, valid_where_any_band_is
from mtlaerial.viewer.style import fitted_ramp, middle, palette_of, read_style, viridis

Kind = Literal["image", "classes", "values"]
SYMBOLS = {"metre": "m", "centimetre": "cm", "degree": "°"}
PROBABILITIES = "probabilities"
HEIGHT = "height"
"""Name of the layer of which terrain is made."""
SAMPLE = 1024
"""Side of the part of an image by which its values are stretched, in pixels."""
ORDER = ("semantics", HEIGHT)
"""Names of the layers that come first; the others follow by name, images come last."""


@dataclass(frozen=True)
class Appearance:
    """Kind, names, unit and colours of a raster; rasters of a layer have the same, but for what is fitted to values.

    Attributes
    ----------
    name : str
        Name of the file, without suffix; empty of images.
    kind : Kind
    bands : tuple of str
        What each band shows.
    unit : str
        Symbol of the values' unit; empty without one.
    style : Palette or Ramp, optional
        None of images.
    stretch : tuple of float, optional
        Lowest and highest stored value of an image that is not of bytes.
    fitted : bool
        Whether ramp or stretch follow from the raster's values.
    colours : tuple of int
        Numbers of the bands that are red, green and blue of an image.
    """

    name: str
    kind: Kind
    bands: tuple[str, ...]
    unit: str = ""
    style: Palette | Ramp | None = None
    stretch: tuple[float, float] | None = None
    fitted: bool = False
    colours: tuple[int, ...] = ()

    def joined(self, other: Self) -> Self | None:
        """Return the appearance of both rasters as one layer; None where they cannot be one."""
        if self == other:
            return self
        unstyled, other_unstyled = (replace(each, style=None, stretch=None) for each in (self, other))
        if not self.fitted or unstyled != other_unstyled:
            return None
        if self.stretch and other.stretch:
            low, high = zip(self.stretch, other.stretch, strict=True)
            return replace(self, stretch=(min(low), max(high)))
        if isinstance(self.style, Ramp) and isinstance(other.style, Ramp):
            first, second = self.style.stops, other.style.stops
            return replace(self, style=viridis(min(first[0][0], second[0][0]), max(first[-1][0], second[-1][0])))
        return None


@dataclass
class Layer:
    """A layer of the map.

    Attributes
    ----------
    key : str
        Its name in addresses.
    title : str
    appearance : Appearance
    sources : list of Source
        Where they overlap, the first that has a value counts.
    """

    key: str
    title: str
    appearance: Appearance
    sources: list[Source] = field(default_factory=list)

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north in metres of Web Mercator."""
        return union([source.bounds for source in self.sources])

    @property
    def zoom(self) -> int:
        """The zoom beyond which tiles show nothing more."""
        return min(DEEPEST_ZOOM, max(zoom_of(source.pixel) for source in self.sources))

    @property
    def metres(self) -> float:
        """Metres per unit of a layer of heights."""
        return 0.01 if self.appearance.unit == "cm" else 1.0


def appearance_of(dataset: rasterio.DatasetReader, path: Path, styled_by: Path) -> Appearance:
    """Return what a raster shows.

    Parameters
    ----------
    dataset : DatasetReader
    path : Path
    styled_by : Path
        The file whose style for QGIS holds: the raster, or of a VRT its first sheet.
    """
    tags, bands = dataset.tags(), dataset.descriptions
    if "CLASS_0" in tags:
        return Appearance(path.stem, "classes", ("class",), style=palette_of(dataset, read_style(styled_by)))
    if "RUN" in tags or dataset.count in (1, 2):
        unit = dataset.units[0] or ""
        names = tuple(name or f"band {number}" for number, name in enumerate(bands, 1))
        styled = read_style(styled_by).ramp
        ramp = styled or fitted_ramp(dataset)
        return Appearance(path.stem, "values", names, SYMBOLS.get(unit, unit), ramp, fitted=styled is None)
    colours = colour_bands(dataset)
    stretch = None if dataset.dtypes[0] == "uint8" else _stretch(dataset, colours)
    return Appearance("", "image", band_names(dataset), stretch=stretch, fitted=stretch is not None, colours=colours)


def title_of(appearance: Appearance) -> str:
    """Return a layer's title.

    Examples
    --------
    >>> title_of(Appearance("height", "values", ("height above ground",), "m"))
    'Height above ground'
    """
    if appearance.kind == "image":
        return "Image"
    if appearance.kind == "classes":
        return "Classes" if appearance.name == "semantics" else f"Classes ({appearance.name})"
    if len(appearance.bands) > 1:
        return "Probabilities of classes" if appearance.name.endswith(PROBABILITIES) else appearance.name
    text = appearance.bands[0] if not appearance.bands[0].startswith("band ") else appearance.name
    return text[:1].upper() + text[1:]


def rank(appearance: Appearance) -> tuple[int, str]:
    """Return a key by which layers are sorted, the most telling first."""
    if appearance.kind == "image":
        return len(ORDER) + 1, ""
    place = ORDER.index(appearance.name) if appearance.name in ORDER else len(ORDER)
    return place, appearance.name


def _stretch(dataset: rasterio.DatasetReader, bands: Sequence[int]) -> tuple[float, float]:
    """Return the 2nd and 98th percentile of the stored values of some bands in the middle of an image."""
    stored = dataset.read(list(bands), window=middle(dataset, SAMPLE), masked=True)
    values = np.ma.filled(valid_where_any_band_is(stored).astype(np.float32), np.nan)
    finite = values[np.isfinite(values)]
    low, high = (float(value) for value in np.percentile(finite, (2, 98))) if finite.size else (0.0, 1.0)
    return low, high if high > low else low + 1
