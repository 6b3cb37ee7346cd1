"""What can only be seen between tiles: leaks from training to evaluation, and tiles unlike the others."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from statistics import median

from mtlaerial.datasets.check.findings import Finding, Findings, percent
from mtlaerial.datasets.check.place import area, overlap
from mtlaerial.datasets.check.report import ImageFacts, TileReport

_OVERLAP = 1e-3
"""Share of the smaller tile that two tiles may have in common: edges are rounded."""
_GSD = 0.05
"""Relative difference in GSD that is worth a warning."""


def check_splits(reports: Sequence[TileReport]) -> tuple[Finding, ...]:
    """Find training ground or images in other splits, and tiles whose images differ in form.

    Parameters
    ----------
    reports : sequence of TileReport
        Of all tiles of a data set; tiles without a readable image are left out.
    """
    findings = Findings()
    tiles = [(report, report.image) for report in reports if report.image]
    for (one, image), (other, another) in combinations(tiles, 2):
        if one.split != other.split:
            _check_pair(one, image, other, another, findings)
    _check_forms(tiles, findings)
    return tuple(findings.items)


def _check_pair(one: TileReport, image: ImageFacts, other: TileReport, another: ImageFacts, findings: Findings) -> None:
    names = f"{one.split} tile {one.tile} and {other.split} tile {other.tile}"
    remedy = "Put both into one split, or crop one of them."
    if image.bounds and another.bounds and image.crs == another.crs:
        share = overlap(image.bounds, another.bounds) / min(area(image.bounds), area(another.bounds))
        if "train" in (one.split, other.split) and share > _OVERLAP:
            found = f"{names} with {percent(share)} of the smaller in common"
            findings.error("splits", found, "training tiles apart from all others", remedy)
    elif image.digest and image.digest == another.digest:
        findings.error("splits", f"{names} with the same image", "different images", remedy)


def _check_forms(tiles: Sequence[tuple[TileReport, ImageFacts]], findings: Findings) -> None:
    forms = Counter((image.bands, image.dtype) for _, image in tiles)
    for report, image in tiles:
        bands, dtype = forms.most_common(1)[0][0]
        if (image.bands, image.dtype) != (bands, dtype):
            found, expected = f"{image.bands} bands of {image.dtype}", f"{bands} of {dtype}, as in most tiles"
            findings.error(f"image of tile {report.tile}", found, expected, "Convert it like the others.")
    for report, gsd, usual in _with_gsd(tiles):
        if abs(gsd / usual - 1) > _GSD:
            found, expected = f"{gsd:.4g} m per pixel", f"{usual:.4g} m, as in most tiles"
            findings.warning(f"image of tile {report.tile}", found, expected, "Resample it to the others' GSD.")


def _with_gsd(tiles: Sequence[tuple[TileReport, ImageFacts]]) -> Iterator[tuple[TileReport, float, float]]:
    known = [(report, image.gsd) for report, image in tiles if image.gsd]
    usual = median([gsd for _, gsd in known]) if known else 1.0
    for report, gsd in known:
        yield report, gsd, usual
