"""Expectations of an image: from a data set's specification, or from a trained run."""

from collections.abc import Sequence
from dataclasses import dataclass

from mtlaerial.config import DatasetSpec


@dataclass(frozen=True)
class Wording:
    """Names of the settings that a user can correct."""

    bands: str
    choice: str
    """Advice to choose the bands ``{bands}``."""
    full_choice: str
    """The same as something to enter: ``{command}`` is the user's own, without which there is none."""
    conversion: str
    """Likewise, to convert an image whose values are from ``{low}`` to ``{high}`` as it is read."""
    resampling: str
    """Likewise, to resample an image as it is read."""
    gsd: str
    """Empty where it cannot be stated."""
    wrong_gsd: str
    """Advice where the georeference contradicts the stated GSD."""
    range: str
    stated_range: str
    fewer_bands: str
    """Advice where the image has too few bands."""
    unused: str
    """Advice where the image has more bands than are used."""

    def choose(self, bands: Sequence[int]) -> str:
        """Return the advice to choose bands."""
        return self.choice.format(bands=",".join(map(str, bands)))


SPECIFICATION = Wording(
    bands="image.bands",
    choice="Set image.bands: [{bands}]",
    full_choice="",
    conversion="",
    resampling="",
    gsd="gsd in the specification",
    wrong_gsd="Correct gsd in the specification, or resample the data set to square pixels of that size",
    range="image.range",
    stated_range="image.range",
    fewer_bands="Correct image.bands and image.band_names, or the file.",
    unused="name all bands to use in image.bands and image.band_names.",
)
OPTIONS = Wording(
    bands="--bands",
    choice="Choose them with --bands {bands}",
    full_choice="Choose them: {command} --bands {bands}",
    conversion="{command} --range {low:.9g},{high:.9g}",
    resampling="{command} --resample",
    gsd="--gsd",
    wrong_gsd="Leave --gsd out, or correct the georeference",
    range="the range of the training",
    stated_range="--range",
    fewer_bands="Map an image that has them, or train a run on the bands of this one.",
    unused="the run was trained without them; choose others with --bands.",
)
MAP_KEYS = Wording(
    bands="map.bands",
    choice="Set map.bands: [{bands}]",
    full_choice="Set map.bands: [{bands}]",
    conversion="map.range: [{low:.9g}, {high:.9g}]",
    resampling="map.resample: true",
    gsd="",
    wrong_gsd="Correct the georeference",
    range="the range of the training",
    stated_range="map.range",
    fewer_bands="Map images that have them, or train a run on the bands of this one.",
    unused="the run was trained without them; choose others with map.bands.",
)


@dataclass(frozen=True)
class BandLevel:
    """Mean and standard deviation of a band over the training pixels, in values of the file."""

    mean: float
    std: float


@dataclass(frozen=True)
class ImageExpectation:
    """Expectation of an image's form, place and values.

    Attributes
    ----------
    wording : Wording
    bands : sequence of int
        Bands to read, counted from 1, in the order the network sees them.
    names : sequence of str
        Their names.
    chosen : bool
        Whether the user chose the bands for this image, or in an order other than the file's.
    range : tuple of float
        Values that the network sees as -1 and 1.
    nodata : float or None
        The specified value of pixels without image.
    stated_gsd : float or None
        Metres per pixel that the user states.
    trained_gsd : float or None
        Metres per pixel of the training images.
    dtype : str or None
        Data type of the training images.
    levels : tuple of BandLevel
        Of the training images, one per band; empty where they are not known.
    resampled : bool
        Whether the image is resampled to ``trained_gsd`` as it is read, so that its own pixels may have any size.
    stated_range : tuple of float or None
        Values of the file that become those of ``range`` as it is read, whatever its data type.
    command : str
        The user's command, to which a remedy adds an option; empty where there is none.
    """

    wording: Wording
    bands: Sequence[int]
    names: Sequence[str]
    chosen: bool
    range: tuple[float, float]
    nodata: float | None = None
    stated_gsd: float | None = None
    trained_gsd: float | None = None
    dtype: str | None = None
    levels: tuple[BandLevel, ...] = ()
    resampled: bool = False
    stated_range: tuple[float, float] | None = None
    command: str = ""

    def choose(self, bands: Sequence[int]) -> str:
        """Return the advice to choose bands, as the user's command where it is known."""
        listed = ",".join(map(str, bands))
        return self.entered(self.wording.full_choice, bands=listed) or self.wording.choose(bands)

    def entered(self, template: str, **values: object) -> str:
        """Return what the user can enter, from a template of the wording; empty where that needs an unknown command."""
        if "{command}" in template and not self.command:
            return ""
        return template.format(command=self.command, **values)

    def converted(self, levels: tuple[BandLevel, ...]) -> tuple[BandLevel, ...]:
        """Return levels of an image's values in the values that they become by ``stated_range``."""
        if self.stated_range is None:
            return levels
        (first, last), (low, high) = self.stated_range, self.range
        factor = (high - low) / (last - first)
        return tuple(BandLevel(low + (level.mean - first) * factor, level.std * factor) for level in levels)

    @classmethod
    def of_specification(cls, spec: DatasetSpec) -> "ImageExpectation":
        """Return what a data set's specification expects of its images."""
        in_order = tuple(range(1, len(spec.image.bands) + 1))
        return cls(
            wording=SPECIFICATION,
            bands=spec.image.bands,
            names=spec.image.band_names,
            chosen=spec.image.bands != in_order,
            range=spec.image.range,
            nodata=spec.image.nodata,
            stated_gsd=spec.gsd,
        )
