"""Statistics of training tiles that a run needs: classes and their frequencies, bands, heights, hashes."""

import math
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, PositiveFloat, PositiveInt, ValidationError

from mtlaerial.config import DatasetSpec, Section
from mtlaerial.config.layers import Colour
from mtlaerial.errors import DataError

HEIGHT_EDGES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Edges in metres of the bins of ``HeightStatistics.histogram``; each belongs to the bin below it."""


def _require_ascending(limits: tuple[float, float]) -> tuple[float, float]:
    if not (limits[0] < limits[1] and math.isfinite(limits[1] - limits[0])):
        raise ValueError("two finite values, the lower one first")
    return limits


def _require_dtype(name: str) -> str:
    message = "the data type of an image, such as uint8"
    try:
        dtype = np.dtype(name)
    except TypeError:
        raise ValueError(message) from None
    if dtype.kind not in "uif":
        raise ValueError(message)
    return name


Limits = Annotated[tuple[float, float], AfterValidator(_require_ascending)]
DataType = Annotated[str, AfterValidator(_require_dtype)]


class ClassStatistics(Section):
    """A class and its frequency; classes are in the order of class indices."""

    name: str
    colour: Colour
    pixels: int
    """Training pixels, in those of the finest labels; 0 for all classes if the tiles are not available."""


class BandStatistics(Section):
    """Statistics of an image band over the training pixels with data, in values of the file.

    Mean and standard deviation are None if the tiles are not available.
    """

    name: str
    index: PositiveInt
    """The band of the raw files, counted from 1; prediction reads the same one."""
    mean: float | None = None
    std: float | None = None


class HeightStatistics(Section):
    """Statistics of height over the valid area of the training tiles, in metres."""

    cells: int
    mean: float
    std: float
    median: float
    minimum: float
    maximum: float
    histogram: tuple[float, ...] = ()
    """Share of the area in each bin between ``HEIGHT_EDGES``, those beyond the first and the last included; empty in
    files of earlier versions."""


class Statistics(Section):
    """The summary of a data set's training tiles, from their pixels and the specification."""

    dataset: str
    title: str
    generated: bool
    licence: str
    citation: str
    gsd: PositiveFloat
    """Metres per image pixel."""
    dtype: DataType
    range: Limits
    nodata: float | None = None
    """The specified value of pixels without image."""
    without_image: float | None = None
    """Share of the training pixels without image, 0-1; None if the tiles are not available."""
    bands: tuple[BandStatistics, ...]
    classes: tuple[ClassStatistics, ...]
    """Empty if the training tiles have no labels."""
    height: HeightStatistics | None
    """None if the training tiles have no heights or are not available."""
    zero_height: bool
    """Whether heights <= 0 are trained on."""
    tiles: dict[str, str]
    """Hash of each training tile, of its image, height and labels; empty if the tiles are not available."""
    images: dict[str, str] = {}
    """Hash of each training tile's image, which does not depend on labels and buffer; empty in earlier versions."""

    def codes(self, classes: Collection[str]) -> tuple[int, ...]:
        """Return the codes of some classes by name."""
        return tuple(code for code, entry in enumerate(self.classes) if entry.name in classes)


class TileStatistics(Section):
    """Statistics of prepared training tiles, without the texts of the specification, such as title and licence."""

    gsd: PositiveFloat
    """Metres per image pixel."""
    dtype: DataType
    pixels: tuple[int, ...]
    """Area of each class, in pixels of the finest labels; empty if the tiles have no labels."""
    bands: tuple[tuple[float, float], ...]
    """Mean and standard deviation of each band."""
    without_image: float | None = None
    """Share of the pixels without image, 0-1; None in files of earlier versions."""
    height: HeightStatistics | None
    tiles: dict[str, str]
    """Hash of each tile, of its image, height and labels."""
    images: dict[str, str] = {}
    """Hash of each tile's image; empty in files of earlier versions."""


def with_specification(name: str, spec: DatasetSpec, measured: TileStatistics) -> Statistics:
    """Return the summary of training tiles from their measured statistics and the specification.

    Parameters
    ----------
    name : str
        Name of the data set.
    spec : DatasetSpec
    measured : TileStatistics
    """
    base = without_tiles(name, spec, measured.gsd, measured.dtype)
    # Without labels there are no pixel counts, and the summary has no classes.
    classes = zip(base.classes, measured.pixels, strict=bool(measured.pixels))
    counted = [entry.model_copy(update={"pixels": pixels}) for entry, pixels in classes]
    bands = []
    for band, (mean, std) in zip(base.bands, measured.bands, strict=True):
        bands.append(band.model_copy(update={"mean": mean, "std": std}))
    pixel_statistics = {
        "bands": tuple(bands),
        "without_image": measured.without_image,
        "classes": tuple(counted),
        "height": measured.height,
        "tiles": measured.tiles,
        "images": measured.images,
    }
    return base.model_copy(update=pixel_statistics)


def without_tiles(name: str, spec: DatasetSpec, gsd: float, dtype: str) -> Statistics:
    """Return the summary of training tiles whose pixels are not available, from the specification alone.

    Parameters
    ----------
    name : str
        Name of the data set.
    spec : DatasetSpec
    gsd : float
        Metres per image pixel.
    dtype : str
        Data type of the images.
    """
    entries = spec.labels.classes if spec.labels else ()
    classes = tuple(ClassStatistics(name=entry.name, colour=entry.colour, pixels=0) for entry in entries)
    numbered_names = zip(spec.image.band_names, spec.image.bands, strict=True)
    return Statistics(
        dataset=name,
        title=spec.title,
        generated=spec.generated,
        licence=spec.licence,
        citation=spec.citation,
        gsd=gsd,
        dtype=dtype,
        range=spec.image.range,
        nodata=spec.image.nodata,
        bands=tuple(BandStatistics(name=band, index=index) for band, index in numbered_names),
        classes=classes,
        height=None,
        zero_height=spec.height is None or spec.height.zero_height == "valid",
        tiles={},
    )


def load_tile_statistics(path: Path) -> TileStatistics:
    """Read ``statistics.json``.

    Raises
    ------
    DataError
        When the file is damaged or of another version.
    """
    try:
        return TileStatistics.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError):
        remedy = "Delete the file and give the same command again, which makes it anew."
        raise DataError(path, "a damaged file", "statistics of training tiles", remedy) from None
