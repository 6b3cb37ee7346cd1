"""Checks of eroded labels between tiles: scores on them stand beside those on all labels, of the same tiles."""

from collections.abc import Sequence

from mtlaerial.datasets.check.findings import Finding, Findings
from mtlaerial.datasets.check.report import TileReport

_NAMED = 5
"""Largest number of tiles that the finding names."""


def check_eroded(reports: Sequence[TileReport]) -> tuple[Finding, ...]:
    """Find test tiles without eroded labels, where others have them.

    Parameters
    ----------
    reports : sequence of TileReport
        Of all tiles of a data set. Tiles without labels have no scores of classes, and are left out.
    """
    labelled = [report for report in reports if report.labels and report.labels.present]
    present = {report.tile: report.eroded.present for report in labelled if report.split == "test" and report.eroded}
    lacking = [tile for tile, exists in present.items() if not exists]
    findings = Findings()
    if lacking and len(lacking) < len(present):
        more = [f"{len(lacking) - _NAMED} more"] if len(lacking) > _NAMED else []
        observed = f"no file of {len(lacking)} of {len(present)} test tiles: {', '.join([*lacking[:_NAMED], *more])}"
        remedy = "Scores on eroded labels are of the others alone: add the files, or take labels.eroded out."
        findings.warning("labels.eroded.files", observed, "eroded labels of all test tiles, or of none", remedy)
    return tuple(findings.items)
