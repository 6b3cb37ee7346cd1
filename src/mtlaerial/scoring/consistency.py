"""Cross-task consistency: cells whose class and height break a rule of the data set."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import IGNORED, task_entry
from mtlaerial.config.consistency import ConsistencyRule
from mtlaerial.config.tasks import leading_task
from mtlaerial.errors import ConfigError
from mtlaerial.rasters.geotiff import open_raster, row_blocks
from mtlaerial.rasters.grid import Grid
from mtlaerial.scoring.joint import BOTH
from mtlaerial.scoring.map_checks import with_nan
from mtlaerial.scoring.nearest_cells import NearestCells
from mtlaerial.scoring.tile_sums import OVERALL

Violations = dict[str, tuple[int, int]]
"""By group, ``overall`` or ``class NAME`` of a class with a rule: cells that break a rule, and all cells."""
Rules = Mapping[str, ConsistencyRule]
"""Rules by the name of the class."""


def violation_map(
    classes: NDArray[np.uint8], heights: NDArray[np.float32], names: Sequence[str], rules: Rules
) -> NDArray[np.uint8]:
    """Return which cells break a rule.

    Parameters
    ----------
    classes : array of uint8
        Codes of classes.
    heights : array of float32, metres
        Of the same shape.
    names : sequence of str
        The classes, in the order of their codes.
    rules : mapping of class to ConsistencyRule

    Returns
    -------
    array of uint8
        0 where no rule is broken; 1, 2, … where the first, second, … rule is; ``IGNORED`` without a class or a height.

    Examples
    --------
    >>> rules = {"roof": ConsistencyRule(height=">= 2")}
    >>> violation_map(np.array([0, 0, 1], np.uint8), np.array([3, 1, 1], np.float32), ["roof", "road"], rules).tolist()
    [0, 1, 0]
    """
    broken = np.zeros(classes.shape, dtype=np.uint8)
    for number, (name, rule) in enumerate(rules.items(), start=1):
        broken[(classes == names.index(name)) & ~rule.height_bound.holds(heights)] = number
    broken[(classes >= len(names)) | ~np.isfinite(heights)] = IGNORED
    return broken


def count_violations(
    class_map: Path, height_map: Path, names: Sequence[str], rules: Rules, metres: float = 1.0
) -> Violations:
    """Count the cells of two maps that break a rule.

    The cells are those of the map of classes, each with the height cell that holds its centre. Cells without a class
    or a height are left out.

    Parameters
    ----------
    class_map, height_map : Path
        Two maps of a tile, or its ground truth.
    names : sequence of str
        The classes, in the order of their codes.
    rules : mapping of class to ConsistencyRule
    metres : float, optional
        Metres per unit of the heights.
    """
    counts = np.zeros((len(rules) + 1, 2), dtype=np.int64)
    with open_raster(class_map) as semantics, open_raster(height_map) as heights:
        cells = NearestCells(Grid.of(heights), Grid.of(semantics))
        for top, rows in row_blocks(semantics.height):
            first, number = cells.window(top, rows)
            block = with_nan(heights, heights.read(1, window=((first, first + number), (0, heights.width))))
            h = cells.take(block, top, rows, np.nan).astype(np.float32) * np.float32(metres)
            classes = semantics.read(1, window=((top, top + rows), (0, semantics.width)))
            counts += _counts(classes, violation_map(classes, h, names, rules), names, rules)
    groups = [OVERALL, *(f"class {name}" for name in rules)]
    return {group: (broken, number) for group, (broken, number) in zip(groups, counts.tolist(), strict=True)}


def _counts(
    classes: NDArray[np.uint8], broken: NDArray[np.uint8], names: Sequence[str], rules: Rules
) -> NDArray[np.int64]:
    """Return broken and all cells, overall and by rule, shape (rules + 1, 2)."""
    valid = broken != IGNORED
    by_rule = np.bincount(broken[valid], minlength=len(rules) + 1)
    by_class = np.bincount(classes[valid], minlength=len(names))
    overall = [by_rule[1:].sum(), valid.sum()]
    single = [[by_rule[number], by_class[names.index(name)]] for number, name in enumerate(rules, start=1)]
    return np.array([overall, *single], dtype=np.int64)


def tally_consistency(maps: Path, tile: Path, names: Sequence[str], rules: Rules) -> tuple[Violations, Violations]:
    """Count the violations of the maps of a tile, and those of its ground truth.

    Parameters
    ----------
    maps : Path
        Folder with the maps of the leading tasks.
    tile : Path
        Folder of the prepared tile.
    names : sequence of str
        The classes, in the order of their codes.
    rules : mapping of class to ConsistencyRule

    Returns
    -------
    tuple of Violations
        Both are empty where no cell of the tile has both truths.
    """
    true = count_violations(tile / "labels.tif", tile / "height.tif", names, rules)
    if not true[OVERALL][1]:
        return {}, {}
    classes, heights = (task_entry(leading_task(metrics)) for metrics in BOTH)
    class_map, height_map = maps / f"{classes.map_name}.tif", maps / f"{heights.map_name}.tif"
    return count_violations(class_map, height_map, names, rules, heights.metres), true


def pooled_violations(tiles: Mapping[str, Violations], weights: Mapping[str, float]) -> dict[str, NDArray[np.float64]]:
    """Return the cells that break a rule and all cells, shape (2,), over tiles by area, by group."""
    total: dict[str, NDArray[np.float64]] = {}
    for name, violations in tiles.items():
        for group, counts in violations.items():
            total[group] = total.get(group, 0) + weights.get(name, 1.0) * np.array(counts, dtype=np.float64)
    return total


def require_ruled_classes(rules: Rules, names: Sequence[str]) -> None:
    """Refuse rules of classes that a run does not know.

    Raises
    ------
    ConfigError
    """
    for name in rules:
        if name not in names:
            remedy = "Correct consistency in the specification, or describe the run again."
            expected = f"classes of the run: {', '.join(names)}"
            raise ConfigError("consistency", f"a rule of the class {name}", expected, remedy)
