"""Checkerboard ratio: the power of predicted heights at the periods of a network's upsampling, relative to neighbours.

A decoder that upsamples by transposed convolutions can leave a grid of 2, 4, 8, 16 or 32 pixels on roofs. Spectra of
segments of rows and columns show it as a peak; without a grid the ratio is about 1. See ``docs/scores.md``.
"""

import math
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, TypeAdapter, model_validator

from mtlaerial.config import Section, Task
from mtlaerial.config.tasks import leads
from mtlaerial.scoring.sums_file import load_sums
from mtlaerial.system.files import write_text

PERIODS = (2, 4, 8, 16, 32)
"""Periods in pixels: those of upsampling by 2, up to five times."""
SEGMENT_LENGTHS = {period: max(64, 4 * period) for period in PERIODS}
"""Pixels of the segments whose spectra show a period. Long ones resolve it, but few surfaces hold one."""
LEAST_SEGMENTS = 50
"""Segments of a direction below which there is no ratio: chance alone makes peaks of 2 and more in 30 of them."""
NEAREST_BIN, FARTHEST_BIN = 2, 6
"""Frequency bins between a peak and its neighbours. With Hann windows a peak reaches to the next bin."""
Direction = Literal["across", "down"]
"""Of segments: along rows, or along columns."""


class SpectrumSum(Section):
    """Sum of the spectra of segments of one length."""

    length: Literal[64, 128]
    """In pixels."""
    segments: PositiveInt
    power: tuple[Annotated[float, Field(ge=0, allow_inf_nan=False)], ...]
    """At 0, 1, … cycles per length. A segment's spectrum has the sum 1, so that all surfaces count alike."""

    @model_validator(mode="after")
    def _check(self) -> "SpectrumSum":
        if len(self.power) != self.length // 2 + 1:
            raise ValueError(f"{len(self.power)} frequencies of segments of {self.length} pixels")
        if min(self.power[1:]) == 0:
            raise ValueError("a frequency without any power")
        return self


SpectrumSums = dict[Direction, tuple[SpectrumSum, ...]]
"""By direction, one sum per length of segments; directions and lengths without any segment are left out."""


def spectra_path(folder: Path, task: Task) -> Path:
    """Return the file of a task of heights, beside the maps of a tile: ``checkerboard.json`` of the leading one."""
    return folder / ("checkerboard.json" if leads(task) else f"checkerboard_{task}.json")


def save_spectra(sums: SpectrumSums, folder: Path, task: Task) -> None:
    """Write the sums of a task of heights beside the maps of a tile."""
    write_text(spectra_path(folder, task), TypeAdapter(SpectrumSums).dump_json(sums).decode())


def load_spectra(folder: Path, task: Task) -> SpectrumSums:
    """Read the sums of a task of heights beside a tile's maps; empty without their file, as for maps of other programs.

    Raises
    ------
    DataError
        When the file is not valid in this version.
    """
    sums: SpectrumSums = load_sums(spectra_path(folder, task), SpectrumSums, "sums of spectra of predicted heights")
    return sums


def checkerboard_ratios(tiles: Iterable[SpectrumSums]) -> dict[int, float]:
    """Return the checkerboard ratio by period in pixels, pooled over tiles.

    It is that of the direction with the larger one. A period without enough segments in either direction is left out.
    """
    pooled = list(tiles)
    ratios: dict[int, list[float]] = {}
    for period, length in SEGMENT_LENGTHS.items():
        for direction in ("across", "down"):
            every = chain.from_iterable(sums.get(direction, ()) for sums in pooled)
            spectra = [spectrum for spectrum in every if spectrum.length == length]
            if sum(spectrum.segments for spectrum in spectra) >= LEAST_SEGMENTS:
                power = [math.fsum(values) for values in zip(*[each.power for each in spectra], strict=True)]
                ratios.setdefault(period, []).append(peak_ratio(power, length // period))
    return {period: max(values) for period, values in ratios.items()}


def peak_ratio(power: list[float], peak: int) -> float:
    """Return the power at a frequency bin, divided by the median of its neighbours on a logarithmic scale.

    The neighbours are two to six bins away, and at most half the frequency, on both sides. Between as many higher and
    lower frequencies, the median does not depend on a spectrum's slope.

    Examples
    --------
    >>> spectrum = [2.0] * 33
    >>> spectrum[16] = 160.0
    >>> round(peak_ratio(spectrum, 16), 6)
    80.0
    """
    reach = min(FARTHEST_BIN, peak // 2)
    frequencies = range(peak - reach, min(peak + reach, len(power) - 1) + 1)
    neighbours = [math.log(power[frequency]) for frequency in frequencies if abs(frequency - peak) >= NEAREST_BIN]
    return math.exp(math.log(power[peak]) - median(neighbours))
