"""Tables of tiles: CSV files with a row per tile, which a specification names instead of listing the tiles."""

import csv
from pathlib import Path
from typing import Any, Literal

from mtlaerial.errors import ConfigError


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
            completed[key] = read_table(folder / str(value["csv"]), column)
    return completed


def read_table(path: Path, column: Literal["split", "area"]) -> dict[str, list[str]]:
    """Read the tiles of each split or area; an unknown split is left for the model to report."""
    key = f"{column}s.csv"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        remedy = f"Correct {key} in the specification."
        raise ConfigError(path, error.strerror or "no file", f"a CSV of {column}s", remedy) from None
    except (csv.Error, UnicodeDecodeError) as error:
        remedy = "Save it as CSV in UTF-8, with a header and a row per tile."
        raise ConfigError(path, f"text that is not CSV ({error})", f"a CSV of {column}s", remedy) from None
    if not rows or not {"tile", column} <= set(rows[0]):
        content = f"the columns {', '.join(rows[0])}" if rows else "no rows"
        expected = f"a header with tile and {column}, and a row per tile"
        raise ConfigError(path, content, expected, "Correct the table.")
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row["tile"])
    return groups
