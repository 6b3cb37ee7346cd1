"""What a run must know of the training tiles: classes and their frequencies, bands, heights, hashes."""

from pathlib import Path

from pydantic import PositiveFloat

from mtlaerial.config import DatasetSpec, Section
from mtlaerial.config.layers import Colour


class ClassStatistics(Section):
    """One class, in the order of prepared codes."""

    name: str
    colour: Colour
    pixels: int
    """Training pixels, on the labels' own grid; 0 for all classes where the tiles are not known."""


class BandStatistics(Section):
    """One image band over the pixels with data of the training tiles, in the file's own values.

    Without mean and deviation where the tiles are not known.
    """

    name: str
    mean: float | None = None
    std: float | None = None


class HeightStatistics(Section):
    """Heights over the valid cells of the training tiles, in metres."""

    cells: int
    mean: float
    std: float
    median: float
    minimum: float
    maximum: float


class Statistics(Section):
    """A summary of the training tiles of a data set."""

    dataset: str
    title: str
    generated: bool
    licence: str
    citation: str
    gsd: PositiveFloat
    """Metres per image pixel."""
    dtype: str
    range: tuple[float, float]
    bands: tuple[BandStatistics, ...]
    classes: tuple[ClassStatistics, ...]
    """Empty where the training tiles have no labels."""
    height: HeightStatistics | None
    """None where the training tiles have no heights, or are not known."""
    zero_height: bool
    """Whether heights <= 0 are trained on."""
    tiles: dict[str, str]
    """SHA-256 of each training tile's three layers; empty where they are not known, but only their specification."""


class Measured(Section):
    """What is measured on prepared training tiles: nothing that only people read of them."""

    gsd: PositiveFloat
    """Metres per image pixel."""
    dtype: str
    pixels: tuple[int, ...]
    """Of each class; empty where the tiles have no labels."""
    bands: tuple[tuple[float, float], ...]
    """Mean and deviation of each."""
    height: HeightStatistics | None
    tiles: dict[str, str]
    """SHA-256 of each tile's three layers."""


def described(name: str, spec: DatasetSpec, measured: Measured) -> Statistics:
    """Return what was measured on training tiles with what their data set's specification says of them.

    Parameters
    ----------
    name : str
        The data set's.
    spec : DatasetSpec
    measured : Measured
    """
    stated = specified(name, spec, measured.gsd, measured.dtype)
    classes = zip(stated.classes, measured.pixels, strict=bool(measured.pixels))
    bands = zip(stated.bands, measured.bands, strict=True)
    found = {
        "bands": tuple(BandStatistics(name=band.name, mean=mean, std=std) for band, (mean, std) in bands),
        "classes": tuple(entry.model_copy(update={"pixels": pixels}) for entry, pixels in classes),
        "height": measured.height,
        "tiles": measured.tiles,
    }
    return stated.model_copy(update=found)


def specified(name: str, spec: DatasetSpec, gsd: float, dtype: str) -> Statistics:
    """Return what a specification says of training tiles that are not known: nothing of their pixels.

    Parameters
    ----------
    name : str
        The data set's.
    spec : DatasetSpec
    gsd : float
        Metres per image pixel.
    dtype : str
        Of the images.
    """
    classes = spec.labels.classes if spec.labels else ()
    return Statistics(
        dataset=name,
        title=spec.title,
        generated=spec.generated,
        licence=spec.licence,
        citation=spec.citation,
        gsd=gsd,
        dtype=dtype,
        range=spec.image.range,
        bands=tuple(BandStatistics(name=band) for band in spec.image.band_names),
        classes=tuple(ClassStatistics(name=entry.name, colour=entry.colour, pixels=0) for entry in classes),
        height=None,
        zero_height=spec.height is None or spec.height.zero_height == "valid",
        tiles={},
    )


def load_measured(path: Path) -> Measured:
    """Read ``statistics.json``."""
    return Measured.model_validate_json(path.read_text(encoding="utf-8"))
