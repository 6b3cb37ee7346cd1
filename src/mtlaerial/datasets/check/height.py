"""Checks of a tile's heights: no-data, range, and whether the values are metres above ground (nDSM)."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import HeightSpec, Split
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check.findings import Findings, Level, percent
from mtlaerial.datasets.check.part import Part
from mtlaerial.datasets.check.parts import locate, present
from mtlaerial.datasets.check.place import ImagePlace
from mtlaerial.datasets.check.report import HeightFacts
from mtlaerial.datasets.check.streaming import gather, read_through
from mtlaerial.datasets.decode import RawHeights, decode_height, nodata_mask, to_float
from mtlaerial.rasters.validity import Pixels

_SAMPLE = 1_000_000
"""Largest number of cells in the sample for quantiles."""
_UNLIMITED = (-math.inf, math.inf)


def check_height(dataset: Dataset, tile: str, image: ImagePlace | None, findings: Findings) -> HeightFacts | None:
    """Check the heights of a tile; return None if the data set has none."""
    spec = dataset.spec.height
    if spec is None:
        return None
    if not present(dataset, "height", tile, findings):
        return HeightFacts(present=False)
    parts = locate(dataset, "height", tile, image, findings)
    if parts is None:
        return HeightFacts(present=True)
    size = (parts[0].grid.height, parts[0].grid.width)
    if not _check_form(parts, findings):
        return HeightFacts(present=True, size=size)
    cells, errors = _Cells(spec, parts, size), findings.errors
    zero = nodata_mask(spec, RawHeights(np.zeros((1, 1), parts[0].dtype)))
    gather(parts, cells.add, findings, zero_counts=not zero.any())
    if findings.errors > errors:
        return HeightFacts(present=True, size=size)
    cells.judge(parts[0].path, dataset.split_of(tile), findings)
    return HeightFacts(present=True, size=size, **cells.facts())


def _check_form(parts: Sequence[Part], findings: Findings) -> bool:
    """Check bands and dtype; return whether the values can be decoded."""
    for part in parts:
        if part.dtype.startswith("complex"):
            findings.error(part.path, f"{part.dtype} values", "real numbers", "Convert the file to float32.")
            read_through(part, findings)
        if part.bands > 1:
            findings.warning(part.path, f"{part.bands} bands", "one", "The first is used; check that it is height.")
    return not any(part.dtype.startswith("complex") for part in parts)


class _Cells:
    """Statistics of heights, accumulated block by block."""

    def __init__(self, spec: HeightSpec, parts: Sequence[Part], size: tuple[int, int]) -> None:
        self.spec = spec
        # The range is applied after the statistics: heights in a wrong unit lie mostly outside it.
        self.unlimited = spec.model_copy(update={"valid_range": _UNLIMITED})
        self.parts = parts
        self.cells = size[0] * size[1]
        # A step coprime to the width samples other columns in each row.
        start = max(1, math.ceil(self.cells / _SAMPLE))
        self.step = next(step for step in range(start, start + size[1] + 1) if math.gcd(step, size[1]) == 1)
        self.sample: list[NDArray[np.float32]] = []
        self.read = self.finite = self.valid = self.infinite = 0
        """Cells inside the file, with a finite height, with one in the range, and with an infinite one."""
        self.minimum, self.maximum = math.inf, -math.inf

    def add(self, *blocks: Pixels) -> None:
        """Add a block of rows: of the heights, or of surface and ground."""
        raws = []
        for part, (values, invalid) in zip(self.parts, blocks, strict=True):
            raws.append(RawHeights(values[0], invalid, part.scaling))
            self.infinite += self._count_infinite(values[0], part.nodata)
        metres = decode_height(self.unlimited, *raws)
        self.read += metres.size
        picked = metres.ravel()[:: self.step]
        self.sample.append(picked[np.isfinite(picked)])
        metres = metres[np.isfinite(metres)]
        self.finite += metres.size
        valid = metres[(metres >= self.spec.valid_range[0]) & (metres <= self.spec.valid_range[1])]
        self.valid += valid.size
        if valid.size:
            self.minimum = min(self.minimum, float(valid.min()))
            self.maximum = max(self.maximum, float(valid.max()))

    def _count_infinite(self, values: NDArray[Any], tag: float | None) -> int:
        """Count infinite values that are not no-data by the specification or the file's tag."""
        infinite = np.isinf(to_float(values)) if values.dtype.kind == "f" else np.zeros((), dtype=np.bool_)
        if infinite.any():
            infinite &= ~nodata_mask(self.spec, RawHeights(values))
            infinite &= values != tag
        return int(np.count_nonzero(infinite))

    def judge(self, path: Path, split: Split, findings: Findings) -> None:
        """Add findings about the values."""
        critical: Level = "error" if split == "train" else "warning"
        if self.infinite:
            remedy = "They count as no-data; check how the file was made."
            findings.warning(path, f"{self.infinite} infinite values", "finite values", remedy)
        if not self.finite:
            remedy = f"Take the tile out of splits.{split}, or correct height.nodata."
            findings.add(critical, path, "no cell with a height", "heights", remedy)
            return
        if self.minimum == self.maximum and self.valid > 1:
            remedy = "Check the file, and height.scale."
            findings.warning(path, f"the height {self.minimum:g} m in every cell", "heights that differ", remedy)
        if self.finite < 0.5 * self.read:
            remedy = "Nothing is trained or scored there; check height.nodata and the file."
            observed = f"{percent(1 - self.finite / self.read)} of the cells without a height"
            findings.warning(path, observed, "at most half", remedy)
        level: Level = "warning" if self.valid else critical
        # A wrong unit explains heights outside the range: one finding is enough.
        if not self._judge_unit(path, level, findings) and self.valid < self.finite:
            low, high = self.spec.valid_range
            observed = f"{percent(1 - self.valid / self.finite)} of the heights outside {low:g} to {high:g} m"
            remedy = (
                "They count as no-data; correct height.valid_range, height.scale or height.offset if they are right."
            )
            findings.add(level, path, observed, "heights in height.valid_range", remedy)

    def _judge_unit(self, path: Path, level: Level, findings: Findings) -> bool:
        """Add a finding if the values do not look like metres above ground; return whether they do not."""
        sample = np.concatenate(self.sample)
        if not sample.size:
            return False
        low, median, high = (float(value) for value in np.percentile(sample, (1, 50, 99)))
        kind = suspicion(low, median, high, whole=bool(np.mean(sample == np.round(sample)) > 0.999))
        if kind is None:
            return False
        if kind == "elevation":
            observed = f"99 % of the heights above {low:.4g} m (median {median:.4g} m)"
            remedy = "If these are elevations, give height.surface and height.ground instead of height.files."
            if self.spec.files is None:
                remedy = "Check that height.surface and height.ground have the same unit and vertical datum."
        else:
            observed = f"1 % of the heights above {high:.4g} m (median {median:.4g} m)"
            factor = next((f for f in (0.1, 0.01) if high * f <= 60), 0.001)  # decimetres, centimetres, millimetres
            remedy = f"If the unit is not the metre, set height.scale, e.g. to {self.spec.scale * factor:g}."
        certain = kind == "elevation" and low > 30
        findings.add("error" if certain else level, path, observed, "metres above ground", remedy)
        return True

    def facts(self) -> dict[str, Any]:
        """Return the fields of :class:`HeightFacts` that come from cells."""
        facts: dict[str, Any] = {"nodata": 1 - self.valid / self.cells}
        if self.valid:
            sample = np.concatenate(self.sample)
            inside = sample[(sample >= self.spec.valid_range[0]) & (sample <= self.spec.valid_range[1])]
            median = float(np.median(inside)) if inside.size else None
            facts |= {"minimum": self.minimum, "maximum": self.maximum, "median": median}
        return facts


def suspicion(low: float, median: float, high: float, whole: bool) -> Literal["elevation", "unit"] | None:
    """Guess from quantiles of heights whether they are elevations above sea level or in another unit than metres.

    Parameters
    ----------
    low, median, high : float
        The 1st, 50th and 99th percentile.
    whole : bool
        Whether the heights are whole numbers of metres.

    Returns
    -------
    str or None
        ``"elevation"`` if no ground lies near 0 m; ``"unit"`` if more than 1 % of the cells are higher than almost all
        buildings; None if nothing is suspicious.
    """
    # Low relative to the highest too: a few centimetres, coded as whole numbers, are no elevation.
    if low > 3 and low > 0.1 * high:
        return "elevation"
    if high > 200 or (high > 60 and whole):
        return "unit"
    return "elevation" if median > 30 else None
