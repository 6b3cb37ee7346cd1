"""Rules on the values of an image: data type, range, and levels of its bands."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.datasets.check.findings import Findings, Level, percent
from mtlaerial.datasets.check.image_gate.expectation import SPECIFICATION, BandLevel, ImageExpectation
from mtlaerial.datasets.check.image_gate.header import RasterHeader
from mtlaerial.datasets.check.image_gate.remedies import convert_command, full_scale

_MIN_RANGE_USED = 0.02
"""Share of the range that even a dark image exceeds; reflectances in 0-1 read as bytes do not."""
_MAX_FAR = 0.25
"""Largest share of values beyond the range by more than its length, as 0-255 in a range of 0-1 are, that may be fill
values, clouds or a choice of contrast."""
_LARGE_RANGE = 100
"""Length of a range that reflectances in 0-1 do not have."""
_MAX_SHIFT = 1.5
"""Largest difference between an image's and the training's mean of a band, in standard deviations of the training."""
_MAX_SPREAD = 3
"""Largest ratio between an image's and the training's standard deviation of a band, either way."""


@dataclass
class ValueTally:
    """Counts of finite values inside and outside a range, accumulated block by block.

    Attributes
    ----------
    limits : tuple of float
        The range.
    values, outside, far : int
        All values, those outside the range, and those beyond it by more than its length.
    minimum, maximum : float
        Infinite without a value.
    """

    limits: tuple[float, float]
    values: int = 0
    outside: int = 0
    far: int = 0
    minimum: float = np.inf
    maximum: float = -np.inf

    def add(self, values: NDArray[Any]) -> None:
        """Add finite values; an array of any shape."""
        if not values.size:
            return
        self.values += values.size
        lowest, highest = float(values.min()), float(values.max())
        self.minimum, self.maximum = min(self.minimum, lowest), max(self.maximum, highest)
        low, high = self.limits
        if lowest < low or highest > high:
            self.outside += _count_outside(values, low, high)
            length = high - low
            self.far += _count_outside(values, low - length, high + length)


def _count_outside(values: NDArray[Any], low: float, high: float) -> int:
    return int(np.count_nonzero((values < low) | (values > high)))


def judge_range(header: RasterHeader, tally: ValueTally, expected: ImageExpectation, findings: Findings) -> None:
    """Compare an image's values with the range; an error where they have another unit, as 0-255 in a range of 0-1."""
    low, high = expected.stated_range or expected.range
    if not tally.values:
        return
    extent = f"from {tally.minimum:g} to {tally.maximum:g}"
    if tally.outside:
        wording, another_unit = expected.wording, tally.far > _MAX_FAR * tally.values
        share = percent(tally.outside / tally.values)
        observed = f"{share} of the values outside {low:g} to {high:g} (they reach {extent})"
        remedy = f"Mark fill values as no-data. {_unit_remedy(header, tally, expected, another_unit)}"
        expectation = f"values in {wording.stated_range if expected.stated_range else wording.range}"
        findings.add("error" if another_unit else "warning", header.path, observed, expectation, remedy)
    if tally.maximum - tally.minimum >= _MIN_RANGE_USED * (high - low) or tally.minimum == tally.maximum:
        return
    in_unit_interval = tally.minimum >= 0 and tally.maximum <= 1 and high - low >= _LARGE_RANGE
    reflectances = in_unit_interval and header.dtypes[expected.bands[0] - 1].startswith("float")
    remedy = _unit_remedy(header, tally, expected, reflectances)
    level: Level = "error" if reflectances else "warning"
    expectation = f"values that make use of {low:g} to {high:g}"
    findings.add(level, header.path, f"values {extent} only", expectation, remedy)


def _unit_remedy(header: RasterHeader, tally: ValueTally, expected: ImageExpectation, another_unit: bool) -> str:
    if expected.wording is SPECIFICATION:
        return "Correct image.range, which the network sees as -1 to 1."
    if expected.stated_range:
        return "State the values of the image that are as dark and as bright as the limits of the training's."
    if not another_unit:
        return "Check that the image's unit is that of the training."
    dtype, scale = header.dtypes[expected.bands[0] - 1], full_scale((tally.minimum, tally.maximum), expected.range)
    return _conversion(header, dtype, scale, expected)


def judge_dtype(header: RasterHeader, tally: ValueTally, expected: ImageExpectation, findings: Findings) -> bool:
    """Compare an image's data type with that of the training; return whether they agree."""
    dtype = header.dtypes[expected.bands[0] - 1]
    if expected.dtype is None or dtype == expected.dtype or expected.stated_range:
        return True
    values = (tally.minimum, tally.maximum) if tally.values else (0.0, 1.0)
    low, high = expected.range
    remedy = _conversion(header, expected.dtype, full_scale(values, (low, high)), expected)
    findings.error(header.path, f"dtype {dtype}", f"{expected.dtype} with values from {low:g} to {high:g}", remedy)
    return False


def _conversion(header: RasterHeader, dtype: str, scale: tuple[float, float], expected: ImageExpectation) -> str:
    """Return the advice to convert an image whose values are those of a scale."""
    example = f"for values from {scale[0]:g} to {scale[1]:g}"
    command = convert_command(header, dtype, scale, expected.range)
    entered = expected.entered(expected.wording.conversion, low=scale[0], high=scale[1])
    if not entered:
        return f"Convert it, e.g. {example}: {command}"
    return f"Convert it as it is read, e.g. {example}: {entered}. Or convert the file: {command}"


def judge_levels(path: Path, levels: tuple[BandLevel, ...], expected: ImageExpectation, findings: Findings) -> None:
    """Warn of an image whose bands are much brighter, darker, flatter or harsher than the training images."""
    if not levels:
        return
    unusual = []
    for name, level, trained in zip(expected.names, levels, expected.levels, strict=False):
        shifted = abs(level.mean - trained.mean) > _MAX_SHIFT * trained.std
        flat, harsh = level.std * _MAX_SPREAD < trained.std, level.std > _MAX_SPREAD * trained.std
        if shifted or flat or harsh:
            observed = f"{level.mean:.4g} ± {level.std:.3g}"
            unusual.append((f"{name} {observed}", f"{name} {trained.mean:.4g} ± {trained.std:.3g}"))
    if unusual:
        observed = f"mean and deviation of bands {', '.join(text for text, _ in unusual)}"
        expectation = f"about those of the training ({', '.join(text for _, text in unusual)})"
        remedy = "The maps may be wrong; check units, contrast and band order, or train on such images."
        findings.warning(path, observed, expectation, remedy)
