"""Checks of the classes between splits: what cannot be learned, and what cannot be scored."""

from collections.abc import Sequence

from mtlaerial.config import SPLITS, Split
from mtlaerial.datasets.check.findings import Finding, Findings
from mtlaerial.datasets.check.report import TileReport

ClassPixels = dict[str, dict[Split, int]]
"""Pixels by class and split."""


def class_pixels(reports: Sequence[TileReport]) -> ClassPixels:
    """Return the pixels of each class in each split that has readable labels; empty without any."""
    pixels: ClassPixels = {}
    for report in reports:
        classes = report.labels.classes if report.labels else {}
        for name, count in classes.items():
            by_split = pixels.setdefault(name, {})
            by_split[report.split] = by_split.get(report.split, 0) + count
    return pixels


def labelled_splits(pixels: ClassPixels) -> list[Split]:
    """Return the splits with any labelled pixel, in the order train, val, test."""
    return [split for split in SPLITS if any(by_split.get(split) for by_split in pixels.values())]


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
    if unread or "train" not in splits or len(splits) < 2:
        return ()
    for split in splits[1:]:
        _check_learned(pixels, split, findings)
    if "test" in splits:
        _check_scored(pixels, findings)
    _check_occurring(pixels, findings)
    return tuple(findings.items)


def _check_learned(pixels: ClassPixels, split: Split, findings: Findings) -> None:
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


def _check_scored(pixels: ClassPixels, findings: Findings) -> None:
    """Find classes of the training tiles that no test tile has."""
    names = [name for name, n in pixels.items() if n.get("train") and not n.get("test")]
    if names:
        observed = f"no test pixel of {', '.join(names)}"
        remedy = "They have no score and enter no mean over classes; move a tile that has them to splits.test."
        findings.warning("splits", observed, "every trained class in the test tiles", remedy)


def _check_occurring(pixels: ClassPixels, findings: Findings) -> None:
    """Find classes that no tile has."""
    names = [name for name, n in pixels.items() if not any(n.values())]
    if names:
        remedy = "Correct their values, or take them out."
        findings.warning("labels.classes", f"no pixel of {', '.join(names)}", "classes that occur", remedy)
