"""Finished rows: the scores of a run in a small file, with the keys that decided them, to be taken elsewhere."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mtlaerial.config import Section
from mtlaerial.errors import DataError
from mtlaerial.runs.cost import Cost
from mtlaerial.runs.plan import fingerprint
from mtlaerial.scoring.scores import Scores
from mtlaerial.system.file_format import require_format
from mtlaerial.system.files import write_text
from mtlaerial.tiles.record import load_record

FORMAT = 1
"""Format of the file."""
REMEDY = "Get the file anew, or delete it: the row is then trained."
_DIGEST = "sha256"
Hashes = Mapping[str, str]
"""SHA-256 of the layers of a prepared tile, by layer."""


class FinishedRow(Section):
    """The content of a finished row's file."""

    format: int = FORMAT
    config: str
    """Hash of those of ``keys`` that are not at their defaults."""
    machine: str
    """The machine that trained it."""
    keys: dict[str, Any]
    """The keys that decided the scores, in all stages, with dots; of a training with a budget also the patches per
    epoch that it became."""
    tiles: dict[str, dict[str, str]]
    """SHA-256 of the layers of each prepared tile that it was trained, validated or scored on."""
    cost: Cost | None = None
    """Of the training; None for another prediction of one."""
    scores: Scores

    @property
    def origin(self) -> str:
        """The machine and the code that it is from, as a phrase."""
        return f"{self.machine}, mtlaerial {self.scores.mtlaerial}, code {self.scores.code}"


def save_row(row: FinishedRow, path: Path) -> None:
    """Write a finished row: a line for each field, and a hash of all."""
    entries: dict[str, Any] = json.loads(row.model_dump_json(exclude_none=True))
    entries[_DIGEST] = fingerprint(entries)
    lines = [f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in entries.items()]
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def read_entries(path: Path) -> dict[str, Any]:
    """Read the entries of a finished row, and verify their hash.

    Raises
    ------
    DataError
        When the file is damaged or of another format.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(path, f"a damaged file ({error})", "a finished row", REMEDY) from None
    if not isinstance(entries, dict):
        raise DataError(path, f"a {type(entries).__name__}", "a finished row", REMEDY)
    require_format(path, entries, FORMAT, REMEDY)
    digest = entries.pop(_DIGEST, None)
    if digest != fingerprint(entries):
        raise DataError(path, "a content that is not as it was written", "a finished row", REMEDY)
    return entries


def load_row(path: Path) -> FinishedRow:
    """Read a finished row.

    Raises
    ------
    ConfigError, DataError
        When the file is damaged, or not of this version.
    """
    return FinishedRow.parse(read_entries(path), str(path))


def tile_hashes(tiles: Sequence[Path]) -> dict[str, Hashes]:
    """Return the hashes of the layers of prepared tiles, by the names of the tiles."""
    records = {folder.name: load_record(folder).sha256 for folder in tiles}
    return {name: {str(layer): digest for layer, digest in hashes.items()} for name, hashes in records.items()}


def require_same_tiles(row: FinishedRow, path: Path, tiles: Sequence[Path]) -> None:
    """Refuse a row of other data, though its keys are the same.

    Raises
    ------
    DataError
        It names the first layer that differs.
    """
    if difference := tile_difference(row.tiles, tile_hashes(tiles)):
        remedy = f"Give the same command again: its run is then trained here. {REMEDY}"
        raise DataError(path, f"a row of another {difference}", "a row of the prepared tiles of this folder", remedy)


def tile_difference(recorded: Mapping[str, Hashes | None], tiles: Mapping[str, Hashes]) -> str:
    """Return the first layer of a tile that differs, or the set, where one side has no such tile; empty if none does.

    Examples
    --------
    >>> tile_difference({"east": {"image": "1"}}, {"east": {"image": "2"}})
    'image of the tile east'
    """
    for name in {**recorded, **tiles}:
        difference = _differing_layer(recorded.get(name), tiles.get(name))
        if difference:
            return f"{difference} of the tile {name}"
    return ""


def _differing_layer(first: Hashes | None, second: Hashes | None) -> str:
    if first is None or second is None:
        return "set"
    layers = [layer for layer in {**first, **second} if first.get(layer) != second.get(layer)]
    return layers[0] if layers else ""
