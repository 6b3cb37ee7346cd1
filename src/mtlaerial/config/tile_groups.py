"""Groups of tiles, splits or areas: their tables in CSV files, and what is required of them."""

import csv
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

from mtlaerial.config.below_root import require_below
from mtlaerial.config.faults import Unfit
from mtlaerial.config.layers import SPLITS
from mtlaerial.errors import ConfigError, system_reason

LONGEST_TILE_NAME = 200
"""Largest length of a tile's name in bytes: file systems allow 255 for a file, of which endings take some."""


def with_tables(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return a specification with the tiles of its tables: ``splits`` or ``areas`` that are ``{csv: FILE}``.

    Parameters
    ----------
    data : dict
        As read from YAML.
    folder : Path
        The folder that the file names are relative to.

    Raises
    ------
    ConfigError
        When a table is missing or wrong.
    """
    completed = dict(data)
    columns: dict[str, Literal["split", "area"]] = {"splits": "split", "areas": "area"}
    for key, column in columns.items():
        value = data.get(key)
        if isinstance(value, dict) and set(value) == {"csv"}:
            completed[key] = read_table(folder / _below(str(value["csv"]), f"{key}.csv"), column)
    return completed


def _below(file: str, key: str) -> str:
    """Refuse a table outside the folder of the specification, which may come from a stranger."""
    try:
        return require_below(file)
    except ValueError:
        expected = "a file beside the specification or below its folder, named relative to it"
        raise ConfigError(key, file or "nothing", expected, "Move it there.") from None


def read_table(path: Path, column: Literal["split", "area"]) -> dict[str, list[str]]:
    """Read the tiles of each split or area; an unknown split is left for the model to report."""
    key = f"{column}s.csv"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        remedy = f"Correct {key} in the specification."
        raise ConfigError(path, system_reason(error), f"a CSV of {column}s", remedy) from None
    except (csv.Error, UnicodeDecodeError) as error:
        remedy = "Save it as CSV in UTF-8, with a header and a row per tile."
        raise ConfigError(path, f"text that is not CSV ({error})", f"a CSV of {column}s", remedy) from None
    if not rows or not {"tile", column} <= set(rows[0]):
        content = f"the columns {', '.join(rows[0])}" if rows else "no rows"
        expected = f"a header with tile and {column}, and a row per tile"
        raise ConfigError(path, content, expected, "Correct the table.")
    groups: dict[str, list[str]] = {}
    for number, row in enumerate(rows, start=1):
        if not row["tile"] or not row[column]:
            raise ConfigError(path, f"row {number} without a tile or {column}", "both in each row", "Complete the row.")
        groups.setdefault(row[column], []).append(row["tile"])
    return groups


def require_groups(splits: Mapping[Any, Collection[str]], areas: Mapping[str, Collection[str]]) -> None:
    """Refuse a tile in two groups, and areas that cannot be tested in turn.

    Raises
    ------
    Unfit
        When there are splits and areas, or neither; or for a tile that is listed twice, a single area, or an area with
        the name of a split.
    """
    if bool(splits) == bool(areas):
        given = "both" if areas else "neither"
        raise Unfit("splits, areas", given, "one of them", "Give fixed splits, or areas that are tested in turn.")
    key, groups = ("areas", [*areas.values()]) if areas else ("splits", [*splits.values()])
    listed = Counter(tile for tiles in groups for tile in tiles)
    twice = [tile for tile, count in listed.items() if count > 1]
    if twice:
        times = f"the tile {twice[0]} {listed[twice[0]]} times"
        raise Unfit(key, times, f"each tile once, in one {key[:-1]}", "List it once.")
    longest = max((name.encode(errors="replace") for name in listed), key=len, default=b"")
    if len(longest) > LONGEST_TILE_NAME:
        start = longest[:40].decode(errors="ignore")
        expected = f"names of tiles of at most {LONGEST_TILE_NAME} bytes"
        raise Unfit(key, f"{start}... of {len(longest)} bytes", expected, "Shorten it.")
    if len(areas) == 1:
        raise Unfit("areas", "one area", "two or more", "Divide the tiles, e.g. with mtlaerial folds.")
    clashing = sorted(set(SPLITS) & set(areas))
    if clashing:
        raise Unfit("areas", f"an area named {clashing[0]}", "another name", "Splits have this name.")
