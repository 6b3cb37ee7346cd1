"""Check of an image against the run that is to predict from it, by the gate that `check` uses too."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mtlaerial.datasets.check.findings import Findings
from mtlaerial.datasets.check.image_gate.expectation import OPTIONS, BandLevel, ImageExpectation
from mtlaerial.datasets.check.image_gate.gate import judge_image
from mtlaerial.datasets.check.image_gate.header import RasterHeader
from mtlaerial.errors import MismatchError
from mtlaerial.rasters.grid import Grid
from mtlaerial.runs.run import RunDescription
from mtlaerial.tiles.statistics import BandStatistics

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MatchingImage:
    """An image that a run can predict from.

    Attributes
    ----------
    path : Path
    grid : Grid
    bands : tuple of int
        Bands to read, counted from 1, in the order the network sees them.
    """

    path: Path
    grid: Grid
    bands: tuple[int, ...]


def match_image(
    path: Path, description: RunDescription, bands: Sequence[int] | None, gsd: float | None
) -> MatchingImage:
    """Return an image that matches a run's training data; log what is unusual about it.

    Parameters
    ----------
    path : Path
        The image.
    description : RunDescription
    bands : sequence of int, optional
        Bands of the image, counted from 1, in the order of the run's; by default those that the run was trained on.
    gsd : float, optional
        Metres per pixel, for an image without georeference.

    Raises
    ------
    MismatchError
        When bands, data type, values, pixel size or orientation differ.
    DataError
        When the image cannot be read.
    """
    expected, findings = expectation(description, bands, gsd), Findings()
    header = RasterHeader.read(path)
    judge_image(header, expected, findings)
    for finding in findings.items:
        if finding.level == "error":
            raise MismatchError(finding.where, finding.found, finding.expected, finding.remedy)
    for finding in findings.items:
        log.warning("%s", finding)
    return MatchingImage(path, header.grid, tuple(expected.bands))


def expectation(description: RunDescription, bands: Sequence[int] | None, gsd: float | None) -> ImageExpectation:
    """Return what a run expects of images."""
    statistics = description.statistics
    return ImageExpectation(
        wording=OPTIONS,
        bands=tuple(bands or (band.index for band in statistics.bands)),
        names=tuple(band.name for band in statistics.bands),
        chosen=bool(bands),
        range=statistics.range,
        nodata=statistics.nodata,
        stated_gsd=gsd,
        trained_gsd=statistics.gsd,
        dtype=statistics.dtype,
        levels=_levels(statistics.bands),
    )


def _levels(bands: Sequence[BandStatistics]) -> tuple[BandLevel, ...]:
    """Return the level of each band; none where the training tiles were not available."""
    levels = []
    for band in bands:
        if band.mean is None or band.std is None:
            return ()
        levels.append(BandLevel(band.mean, band.std))
    return tuple(levels)
