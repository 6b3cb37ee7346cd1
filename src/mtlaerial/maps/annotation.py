"""Descriptions in a layer's file: names and units of bands, scale, colours, statistics, and tags."""

from collections.abc import Mapping
from contextlib import suppress

import rasterio

from mtlaerial.maps.band_statistics import BandStatistics
from mtlaerial.maps.layer import Category, Palette, RasterLayer


def annotate(out: rasterio.io.DatasetWriter, layer: RasterLayer, tags: Mapping[str, str]) -> None:
    """Write what a layer's bands are, and tags, into an open file; classes as tags ``CLASS_0``, ``CLASS_1``, …."""
    out.descriptions = layer.bands
    if layer.unit:
        out.units = (layer.unit,) * len(layer.bands)
    if layer.scale != 1:
        out.scales = (layer.scale,) * len(layer.bands)
    write_colours(out, layer)
    names = {f"CLASS_{category.code}": category.name for category in layer.categories}
    out.update_tags(**tags, **names)


def write_colours(out: rasterio.io.DatasetWriter, layer: RasterLayer) -> None:
    """Write the colours of a layer of codes as the file's colour table; nothing for values."""
    if layer.categories:
        out.write_colormap(1, {category.code: category.colour for category in layer.categories})


def stated_palette(source: rasterio.DatasetReader) -> Palette:
    """Return the names and colours of classes that a file states as :func:`annotate` writes them; none of values."""
    tags, names = source.tags(), list[str]()
    while (name := tags.get(f"CLASS_{len(names)}")) is not None:
        names.append(name)
    colours: dict[int, tuple[int, int, int, int]] = {}
    with suppress(ValueError):  # a file without a colour table
        colours = source.colormap(1)
    shown = [colours.get(code, (0, 0, 0, 0)) for code in range(len(names))]
    return Palette(tuple(Category(code, name, shown[code][:3]) for code, name in enumerate(names)))


def write_statistics(out: rasterio.io.DatasetWriter, statistics: BandStatistics) -> None:
    """Write statistics by GDAL's names; like GDAL's own they are of stored values, before the scale."""
    for band, values in enumerate(statistics.bands, start=1):
        if values:
            out.update_tags(band, **{f"STATISTICS_{name.upper()}": repr(value) for name, value in values.items()})
