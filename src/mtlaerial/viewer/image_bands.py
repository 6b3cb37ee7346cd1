"""Bands of an image: their names, and those that are its red, green and blue."""

import rasterio
from rasterio.enums import ColorInterp

COLOURS = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)


def value_bands(dataset: rasterio.DatasetReader) -> list[int]:
    """Return the numbers of the bands that are no alpha band, from 1."""
    tagged = zip(dataset.indexes, dataset.colorinterp, strict=True)
    return [band for band, interpretation in tagged if interpretation is not ColorInterp.alpha]


def band_names(dataset: rasterio.DatasetReader) -> tuple[str, ...]:
    """Return the names of these bands: their descriptions, else the colours that they are tagged as, else numbers."""
    return tuple(_name(dataset, band) for band in value_bands(dataset))


def colour_bands(dataset: rasterio.DatasetReader) -> tuple[int, ...]:
    """Return the numbers of the bands that are drawn as red, green and blue.

    They are those with these names, else those with these tags, else the first three; of two bands, the first alone.
    """
    bands = value_bands(dataset)
    by_name = {name.lower(): band for name, band in zip(band_names(dataset), bands, strict=True)}
    by_tag = {dataset.colorinterp[band - 1]: band for band in bands}
    if all(colour.name in by_name for colour in COLOURS):
        return tuple(by_name[colour.name] for colour in COLOURS)
    if all(colour in by_tag for colour in COLOURS):
        return tuple(by_tag[colour] for colour in COLOURS)
    return tuple(bands[:3]) if len(bands) >= 3 else (bands[0],) * 3


def _name(dataset: rasterio.DatasetReader, band: int) -> str:
    description, interpretation = dataset.descriptions[band - 1], dataset.colorinterp[band - 1]
    if description:
        return str(description)
    return interpretation.name if interpretation in COLOURS else f"band {band}"
