"""Checks of the classes between splits or areas: what cannot be learned, and what cannot be scored."""

from collections.abc import Sequence

from mtlaerial.config import SPLITS, Split
from mtlaerial.datasets.check.findings import Finding, Findings
from mtlaerial.datasets.check.report import TileReport

ClassPixels = dict[str, dict[str, int]]
"""Pixels by class and split, or area."""
_USES: dict[Split, tuple[str, str]] = {
    "test": ("test", "They have no score and enter no mean over classes"),
    "val": ("validation", "Calibration and the selection of weights do not see them"),
}
"""Name of the tiles of a split, and what follows for classes that none of them has."""


def class_pixels(reports: Sequence[TileReport]) -> ClassPixels:
    """Return the pixels of each class in each split or area that has readable labels; empty without any."""
    pixels: ClassPixels = {}
    for report in reports:
        classes = report.labels.classes if report.labels else {}
        for name, count in classes.items():
            by_split = pixels.setdefault(name, {})
            by_split[report.group] = by_split.get(report.group, 0) + count
    return pixels


def labelled_splits(pixels: ClassPixels) -> list[str]:
    """Return the splits with any labelled pixel, in the order train, val, test; or the areas, in that of the tiles."""
    groups = dict.fromkeys(group for by_split in pixels.values() for group in by_split)
    ordered = [*(split for split in SPLITS if split in groups), *(group for group in groups if group not in SPLITS)]
    return [group for group in ordered if any(by_split.get(group) for by_split in pixels.values())]


def check_classes(reports: Sequence[TileReport]) -> tuple[Finding, ...]:
    """Find classes that evaluation tiles have and training tiles lack, or the other way round.

    Parameters
    ----------
    reports : sequence of TileReport
        Of all tiles of a data set. Nothing is compared where some labels could not be read: counts would be incomplete.
    """
    findings = Findings()
    unread = any(report.labels and report.labels.present and not report.labels.classes for report in reports)
    pixels = class_pixels(reports)
    splits = labelled_splits(pixels)
    if unread or len(splits) < 2:
        return ()
    if not set(splits) <= set(SPLITS):
        _check_areas(pixels, findings)
        _check_occurring(pixels, findings)
        return tuple(findings.items)
    if "train" not in splits:
        return ()
    for split in splits[1:]:
        _check_learned(pixels, split, findings)
    for split in _USES:
        if split in splits:
            _check_covered(pixels, split, findings)
    _check_occurring(pixels, findings)
    return tuple(findings.items)


def _check_areas(pixels: ClassPixels, findings: Findings) -> None:
    """Find classes of one area only: no training that leaves it out has them."""
    for name, counts in pixels.items():
        areas = [area for area, count in counts.items() if count]
        if len(areas) == 1:
            observed = f"pixels of {name} ({counts[areas[0]]:,}) in {areas[0]} alone"
            remedy = "When that area is tested, no network has learned the class: divide the tiles otherwise."
            findings.warning("areas", observed, "every class in two areas or more", remedy)


def _check_learned(pixels: ClassPixels, split: str, findings: Findings) -> None:
    """Find classes of a split that no training tile has."""
    lacking = {name: n.get(split, 0) for name, n in pixels.items() if not n.get("train") and n.get(split)}
    if lacking:
        listed = ", ".join(f"{name} ({count:,})" for name, count in lacking.items())
        observed = f"no training pixel, but {split} pixels, of {listed}"
        remedy = (
            "No network can learn them, and their pixels are scored as errors: move a tile that has them to "
            "splits.train, or their values to labels.ignore or to another class."
        )
        findings.warning("splits", observed, f"every class of the {split} tiles in the training tiles", remedy)


def _check_covered(pixels: ClassPixels, split: Split, findings: Findings) -> None:
    """Find classes of the training tiles that no tile of another split has."""
    names = [name for name, n in pixels.items() if n.get("train") and not n.get(split)]
    if names:
        use, consequence = _USES[split]
        observed = f"no {use} pixel of {', '.join(names)}"
        remedy = f"{consequence}; move a tile that has them to splits.{split}."
        findings.warning("splits", observed, f"every trained class in the {use} tiles", remedy)


def _check_occurring(pixels: ClassPixels, findings: Findings) -> None:
    """Find classes that no tile has."""
    names = [name for name, n in pixels.items() if not any(n.values())]
    if names:
        remedy = "Correct their values, or take them out."
        findings.warning("labels.classes", f"no pixel of {', '.join(names)}", "classes that occur", remedy)
