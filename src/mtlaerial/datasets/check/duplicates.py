"""Several accepted files for one layer of a tile: the first is taken, and differing others are named."""

import filecmp
import os
from collections.abc import Sequence
from pathlib import Path

from mtlaerial.datasets.check.findings import Findings


def report_duplicates(candidates: Sequence[Sequence[Path]], findings: Findings) -> None:
    """Warn of accepted files that differ from the one that is taken; equal copies do no harm.

    Parameters
    ----------
    candidates : sequence of sequence of Path
        The accepted paths of each file of a layer, preferred ones first.
    findings : Findings
    """
    for accepted in candidates:
        existing = [path for path in accepted if os.path.exists(path)]
        different = [path for path in existing[1:] if not _is_same(existing[0], path)]
        if different and existing[0].suffix.lower() != ".vrt":  # it may read the others
            taken = existing[0]
            observed = f"also {different[0]}, which differs and is accepted too"
            remedy = f"{taken} is taken, as the specification lists it first; move the one that you do not want away."
            findings.warning(taken, observed, "one accepted file, or equal ones", remedy)


def _is_same(first: Path, second: Path) -> bool:
    """Compare two files by their bytes; one that cannot be read differs."""
    try:
        return os.path.samefile(first, second) or filecmp.cmp(first, second, shallow=False)
    except OSError:
        return False
