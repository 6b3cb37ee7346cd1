"""Seams: how much more maps change from pixel to pixel where windows meet than elsewhere.

Heights and class scores are compared across the lines at which a window begins or ends, and across the lines midway
between those. Without seams both change alike: the ratio is about 1.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from mtlaerial.config import Task
from mtlaerial.errors import DataError

Place = Literal["border", "inside"]
SeamSums = dict[Task, dict[Place, tuple[float, int]]]
"""Sum of steps and number of pixels. A step is metres, or the share of probability that goes to other classes."""
FILE = "seams.json"


def load_seams(folder: Path) -> SeamSums:
    """Read the ``seams.json`` of a tile's maps; empty where there is none, as with maps of other origin.

    Raises
    ------
    DataError
        When it is not as this version writes it.
    """
    path = folder / FILE
    try:
        return TypeAdapter(SeamSums).validate_json(path.read_bytes()) if path.exists() else {}
    except ValidationError as error:
        found = error.errors()[0]["msg"]
        raise DataError(path, found, "sums of steps at windows' borders", "Predict again.") from None


def seam_ratio(every: Iterable[SeamSums], task: Task) -> float | None:
    """Return the mean step at borders over that inside, over some tiles; None where there was none."""
    sums = [each[task] for each in every if task in each]
    border, inside = (_mean([each[place] for each in sums]) for place in ("border", "inside"))
    return border / inside if border is not None and inside else None


def _mean(parts: Sequence[tuple[float, int]]) -> float | None:
    number = sum(n for _, n in parts)
    return sum(total for total, _ in parts) / number if number else None
