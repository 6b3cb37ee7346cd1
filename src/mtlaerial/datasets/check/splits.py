"""Checks between tiles: leakage from training to evaluation, and tiles that differ from the rest."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from statistics import median

from mtlaerial.datasets.check.findings import Finding, Findings, percent
from mtlaerial.datasets.check.place import area, overlap
from mtlaerial.datasets.check.report import ImageFacts, TileReport

_OVERLAP = 1e-3
"""Largest overlap of two tiles, as a share of the smaller one, that counts as rounding of their edges."""
_GSD = 0.05
"""Largest relative difference in GSD without a warning."""


def check_splits(reports: Sequence[TileReport]) -> tuple[Finding, ...]:
    """Find training ground or images in other splits, and tiles with unusual bands, dtype or GSD.

    Parameters
    ----------
    reports : sequence of TileReport
        Of all tiles of a data set; tiles without a readable image are skipped.
    """
    findings = Findings()
    tiles = [(report, report.image) for report in reports if report.image]
    for (first, first_image), (second, second_image) in combinations(tiles, 2):
        if first.split != second.split:
            names = f"{first.split} tile {first.tile} and {second.split} tile {second.tile}"
            _check_pair(names, first_image, second_image, "train" in (first.split, second.split), findings)
    _check_forms(tiles, findings)
    _check_gsds(tiles, findings)
    return tuple(findings.items)


def _check_pair(names: str, first: ImageFacts, second: ImageFacts, training: bool, findings: Findings) -> None:
    """Check two images of different splits for common ground, or without georeference for equal pixels."""
    remedy = "Put both into one split, or crop one of them."
    if first.bounds and second.bounds and first.crs == second.crs:
        share = overlap(first.bounds, second.bounds) / min(area(first.bounds), area(second.bounds))
        if training and share > _OVERLAP:
            observed = f"{names} with {percent(share)} of the smaller in common"
            findings.error("splits", observed, "training tiles apart from all others", remedy)
    elif first.digest and first.digest == second.digest:
        findings.error("splits", f"{names} with the same image", "different images", remedy)


def _check_forms(tiles: Sequence[tuple[TileReport, ImageFacts]], findings: Findings) -> None:
    """Compare each image's bands and dtype with the most frequent ones."""
    forms = Counter((image.bands, image.dtype) for _, image in tiles)
    for report, image in tiles:
        bands, dtype = forms.most_common(1)[0][0]
        if (image.bands, image.dtype) != (bands, dtype):
            observed, expected = f"{image.bands} bands of {image.dtype}", f"{bands} of {dtype}, as in most tiles"
            findings.error(f"image of tile {report.tile}", observed, expected, "Convert it like the others.")


def _check_gsds(tiles: Sequence[tuple[TileReport, ImageFacts]], findings: Findings) -> None:
    """Compare each image's GSD with the median."""
    gsds = [(report, image.gsd) for report, image in tiles if image.gsd]
    if not gsds:
        return
    usual = median(gsd for _, gsd in gsds)
    for report, gsd in gsds:
        if abs(gsd / usual - 1) > _GSD:
            observed, expected = f"{gsd:.4g} m per pixel", f"{usual:.4g} m, as in most tiles"
            findings.warning(f"image of tile {report.tile}", observed, expected, "Resample it to the others' GSD.")
