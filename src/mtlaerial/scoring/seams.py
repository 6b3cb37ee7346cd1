"""Seams: the change of maps from pixel to pixel at window borders, relative to the change elsewhere.

Heights and class scores are compared across the lines at which a window begins or ends, and across the lines midway
between those. Without seams both changes are alike, and their ratio is about 1.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from mtlaerial.config import Task
from mtlaerial.scoring.sums_file import load_sums

Place = Literal["border", "inside"]
SeamSums = dict[Task, dict[Place, tuple[float, int]]]
"""Sum of steps and number of pixels. A step is in the map's unit, or the share of probability that changes class."""
FILE = "seams.json"


def load_seams(folder: Path) -> SeamSums:
    """Read the ``seams.json`` of a tile's maps; empty without that file, as for maps of other programs.

    Raises
    ------
    DataError
        When the file is not valid in this version.
    """
    sums: SeamSums = load_sums(folder / FILE, SeamSums, "sums of steps at windows' borders")
    return sums


def seam_ratio(tiles: Iterable[SeamSums], task: Task) -> float | None:
    """Return the mean step at borders relative to that inside, pooled over tiles; None without either."""
    places = [sums[task] for sums in tiles if task in sums]
    border = _pooled_mean([sums["border"] for sums in places])
    inside = _pooled_mean([sums["inside"] for sums in places])
    return border / inside if border is not None and inside else None


def _pooled_mean(parts: Sequence[tuple[float, int]]) -> float | None:
    number = sum(pixels for _, pixels in parts)
    total = sum(steps for steps, _ in parts)
    return total / number if number else None
