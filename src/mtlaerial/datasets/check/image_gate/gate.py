"""The gate: all rules on an image, in the order in which their findings are listed."""

from mtlaerial.datasets.check.findings import Findings, percent
from mtlaerial.datasets.check.image_gate.bands import judge_bands
from mtlaerial.datasets.check.image_gate.expectation import ImageExpectation
from mtlaerial.datasets.check.image_gate.georeference import judge_place
from mtlaerial.datasets.check.image_gate.header import RasterHeader
from mtlaerial.datasets.check.image_gate.remedies import colour_tags_command
from mtlaerial.datasets.check.image_gate.sample import sample_image, translucent_share
from mtlaerial.datasets.check.image_gate.values import judge_dtype, judge_levels, judge_range

_TRANSLUCENT = 0.1
"""Largest share of pixels that are neither transparent nor opaque in a band of transparency with soft borders."""


def judge_alpha_values(header: RasterHeader, expected: ImageExpectation, findings: Findings) -> None:
    """Warn of an unused band that is tagged as alpha but looks like an image.

    GDAL tags the fourth band of bytes as alpha by default, near infrared too.

    Raises
    ------
    DataError
        When pixels cannot be read.
    """
    for band in header.alpha_bands:
        if band in expected.bands or (share := translucent_share(header, band)) <= _TRANSLUCENT:
            continue
        observed = f"band {band} tagged as alpha, with {percent(share)} of the values neither transparent nor opaque"
        command = colour_tags_command(header, {band: "undefined"})
        remedy = f"If it is an image band, e.g. near infrared, correct the tag: {command}"
        findings.warning(header.path, observed, "transparency", remedy)


def judge_image(header: RasterHeader, expected: ImageExpectation, findings: Findings) -> None:
    """Add findings about an image: its header, and if that is right a sample of its pixels.

    Raises
    ------
    DataError
        When pixels cannot be read.
    """
    errors = findings.errors
    judge_bands(header, expected, findings)
    judge_place(header, expected, findings)
    if findings.errors > errors:
        return
    judge_alpha_values(header, expected, findings)
    tally, levels = sample_image(header, expected.bands, expected.stated_range or expected.range, expected.nodata)
    if judge_dtype(header, tally, expected, findings):
        judge_range(header, tally, expected, findings)
        judge_levels(header.path, expected.converted(levels), expected, findings)
