"""Check of an image against the run that is to predict from it, by the gate that `check` uses too."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mtlaerial.datasets.check.findings import Finding, Findings
from mtlaerial.datasets.check.image_gate.expectation import BandLevel, ImageExpectation
from mtlaerial.datasets.check.image_gate.gate import judge_image
from mtlaerial.datasets.check.image_gate.header import RasterHeader
from mtlaerial.errors import MismatchError
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.prediction.network_grid import network_grid
from mtlaerial.prediction.prediction_area import area_on
from mtlaerial.rasters.grid import Grid
from mtlaerial.runs.run import RunDescription
from mtlaerial.tiles.statistics import BandStatistics

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MatchingImage:
    """An image that a run can predict from, and how it is read.

    Attributes
    ----------
    path : Path
    grid : Grid
        The file's.
    bands : tuple of int or None
        Bands to read, counted from 1, in the order the network sees them; None for all.
    network_grid : Grid or None
        The grid that the image is resampled to as it is read; None for its own.
    area : shapely geometry or None
        Polygons in the image's CRS outside of which nothing is predicted.
    options : ImageOptions
    """

    path: Path
    grid: Grid
    bands: tuple[int, ...] | None = None
    network_grid: Grid | None = None
    area: Any = None
    options: ImageOptions = field(default_factory=ImageOptions)

    @property
    def predicted_grid(self) -> Grid:
        """The grid that the network runs on."""
        return self.network_grid or self.grid


def match_image(
    path: Path, description: RunDescription, options: ImageOptions, note: Callable[[str], None] = log.warning
) -> MatchingImage:
    """Return an image that matches a run's training data.

    Parameters
    ----------
    path : Path
        The image.
    description : RunDescription
    options : ImageOptions
        How it is made to match.
    note : callable
        Takes a sentence on each thing that is unusual about it; by default it is logged.

    Raises
    ------
    MismatchError
        When bands, data type, values, pixel size or orientation differ, or it lies outside of the area.
    DataError
        When the image cannot be read.
    """
    expected, findings = expectation(description, options), Findings()
    header = RasterHeader.read(path)
    judge_image(header, expected, findings)
    for finding in findings.items:
        if finding.level == "error":
            remedy = _with_resampling(header, expected, finding)
            raise MismatchError(finding.where, finding.found, finding.expected, remedy)
    for finding in findings.items:
        note(str(finding))
    image = MatchingImage(path, header.grid, tuple(expected.bands), options=options)
    if options.resample:
        image = replace(image, network_grid=network_grid(header, expected.trained_gsd, options.gsd))
    if options.area:
        image = replace(image, area=area_on(options.area, path, header.grid))
    return image


def expectation(description: RunDescription, options: ImageOptions) -> ImageExpectation:
    """Return what a run expects of images."""
    statistics = description.statistics
    return ImageExpectation(
        wording=options.wording,
        bands=tuple(options.bands or (band.index for band in statistics.bands)),
        names=tuple(band.name for band in statistics.bands),
        chosen=bool(options.bands),
        range=statistics.range,
        nodata=statistics.nodata,
        stated_gsd=options.gsd,
        trained_gsd=statistics.gsd,
        dtype=statistics.dtype,
        levels=_levels(statistics.bands),
        resampled=options.resample,
        stated_range=options.stated_range,
        command=options.command,
    )


def _with_resampling(header: RasterHeader, expected: ImageExpectation, error: Finding) -> str:
    """Return the remedy of an error, after that of resampling as the image is read if that mends it, too.

    It must be known what the user can enter.
    """
    entered = expected.entered(expected.wording.resampling)
    if expected.resampled or not entered or expected.trained_gsd is None:
        return error.remedy
    findings = Findings()
    judge_image(header, replace(expected, resampled=True), findings)
    if error in findings.items:
        return error.remedy
    otherwise = error.remedy[:1].lower() + error.remedy[1:]
    return f"Resample it as it is read: {entered}. Or {otherwise}"


def _levels(bands: Sequence[BandStatistics]) -> tuple[BandLevel, ...]:
    """Return the level of each band; none where the training tiles were not available."""
    levels = []
    for band in bands:
        if band.mean is None or band.std is None:
            return ()
        levels.append(BandLevel(band.mean, band.std))
    return tuple(levels)
