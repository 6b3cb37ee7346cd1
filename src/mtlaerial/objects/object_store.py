"""Store of finished objects: a temporary database, read back in the order of the objects' first pixels."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import shapely
from numpy.typing import NDArray

from mtlaerial.errors import DataError
from mtlaerial.objects.columns import COLUMNS
from mtlaerial.objects.frame import table_of
from mtlaerial.objects.outlines import Polygons
from mtlaerial.system.files import discard, make_folder, partial_path, remove_empty, writable

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

BATCH = 20_000
"""Objects that are read at once, at most."""
BATCH_BYTES = 2**25
"""Bytes of outlines that are read at once, unless a single one has more."""
_STORED = tuple(column for column in COLUMNS if column.name != "id")
_NAMES = [f'"{column.name}"' for column in _STORED]
_TYPES = {"int64": "INTEGER", "str": "TEXT", "float64": "REAL", "bool": "INTEGER"}
# The key is SQLite's row number, so that rows lie in the order of first pixels, in whatever order they come.
_TABLE = ", ".join(
    [
        "first INTEGER PRIMARY KEY",
        *(f"{name} {_TYPES[column.dtype]}" for name, column in zip(_NAMES, _STORED, strict=True)),
        "outline BLOB",
        "proposal BLOB",
    ]
)
# One process writes and reads it, and nothing of it survives: no locks, no journal, one transaction that never ends.
_SETTINGS = ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -32000", "BEGIN")


class Outlines(NamedTuple):
    """Outlines of some objects.

    Attributes
    ----------
    firsts : array of int64, ascending
        Index of each object's first pixel in the region.
    polygons : array of shapely.Polygon
    proposals : array of shapely.Polygon or None
        Other outlines, from :meth:`ObjectStore.propose`.
    """

    firsts: NDArray[np.int64]
    polygons: Polygons
    proposals: Polygons


class ObjectStore:
    """Objects with all columns but ``id``, which follows from their order.

    Parameters
    ----------
    crs : str
        Of the outlines, by :func:`mtlaerial.rasters.projection.horizontal_code`.
    out : Path, optional
        File of the objects, beside which the database lies until the store is closed; else it is in memory.

    Raises
    ------
    DataError
        By every method, when the folder is not writable or the disk is full.

    Notes
    -----
    SQLite takes outlines of up to 10^9 bytes, 62 million corners; so do GeoPackages.
    """

    def __init__(self, crs: str, out: Path | None = None) -> None:
        self.crs = crs
        self._out = out or Path(":memory:")
        self._path = partial_path(out.with_name(f"{out.name}.sqlite")) if out else None
        self._made: list[Path] = []
        try:
            with self._errors():
                if self._path:
                    self._made = make_folder(self._path.parent)
                self._database = _database(self._path)
        except DataError:
            self._discard()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._database.close()
        self._discard()

    def _discard(self) -> None:
        if self._path:
            discard(self._path)
            remove_empty(self._made)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn errors of the database into one that names the file of the objects."""
        with writable(self._out):
            try:
                yield
            except sqlite3.Error as error:
                raise OSError(str(error)) from error

    def __len__(self) -> int:
        return sum(self.counts().values())

    def counts(self) -> dict[str, int]:
        """Return the number of objects of each class that has some."""
        with self._errors():
            return dict(self._database.execute("SELECT class, COUNT(*) FROM objects GROUP BY class"))

    def add(self, firsts: NDArray[np.int64], polygons: Polygons, values: Mapping[str, NDArray[Any]]) -> None:
        """Add objects.

        Parameters
        ----------
        firsts : array of int64, shape (objects,)
            Index of each object's first pixel in the region.
        polygons : array of shapely.Polygon, shape (objects,)
        values : mapping of column to array, shape (objects,)
            Columns that are absent are empty.
        """
        nothing = np.full(len(firsts), np.nan)
        columns = [values.get(column.name, nothing).tolist() for column in _STORED]
        rows = zip(firsts.tolist(), *columns, map(shapely.to_wkb, polygons), strict=True)
        places = ", ".join("?" * (len(_STORED) + 2))
        self._write(f"INSERT INTO objects (first, {', '.join(_NAMES)}, outline) VALUES ({places})", rows)

    def propose(self, firsts: NDArray[np.int64], polygons: Polygons) -> None:
        """Store other outlines of some objects, beside those that they have."""
        rows = zip(map(shapely.to_wkb, polygons), firsts.tolist(), strict=True)
        self._write("UPDATE objects SET proposal = ? WHERE first = ?", rows)

    def adopt(self, firsts: NDArray[np.int64], area: NDArray[np.float64], perimeter: NDArray[np.float64]) -> None:
        """Replace outlines by those proposed, with areas in m² and perimeters in m; mean heights stay."""
        changes = "outline = proposal, area = ?1, perimeter = ?2, volume = ?1 * (volume / area)"
        rows = zip(area.tolist(), perimeter.tolist(), firsts.tolist(), strict=True)
        self._write(f"UPDATE objects SET {changes} WHERE first = ?3", rows)

    def _write(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        with self._errors():
            self._database.executemany(statement, rows)

    def parts(self) -> Iterator["GeoDataFrame"]:
        """Yield parts of the table, sorted by first pixels, with ``id`` from 1; a single empty one without objects.

        Where a part ends depends on the objects alone.
        """
        number = 0
        for rows in self._batches([*_NAMES, "outline"]):
            yield self._frame(rows, number)
            number += len(rows)
        if not number:
            yield self._frame([], 0)

    def frame(self) -> "GeoDataFrame":
        """Return the whole table, in memory."""
        import pandas as pd

        frame: GeoDataFrame = pd.concat(list(self.parts()), ignore_index=True)
        return frame

    def outlines(self) -> Iterator[Outlines]:
        """Yield the outlines in parts, sorted by first pixels. They may be changed meanwhile."""
        for rows in self._batches(["outline", "proposal"]):
            firsts, polygons, proposals = zip(*rows, strict=True)
            yield Outlines(np.array(firsts, dtype=np.int64), *map(_geometries, (polygons, proposals)))

    def _frame(self, rows: list[tuple[Any, ...]], number: int) -> "GeoDataFrame":
        """Return the table of rows whose first one follows a number."""
        columns = list(zip(*rows, strict=True)) or [()] * (len(_STORED) + 2)
        values = {
            column.name: np.array(values, dtype=object if column.dtype == "str" else column.dtype)
            for column, values in zip(_STORED, columns[1:-1], strict=True)
        }
        values["id"] = np.arange(number + 1, number + len(rows) + 1)
        return table_of(_geometries(columns[-1]), values, self.crs)

    def _batches(self, columns: list[str]) -> Iterator[list[tuple[Any, ...]]]:
        """Yield rows of ``first`` and some columns, of which the last ones are outlines."""
        statement = f"SELECT first, {', '.join(columns)} FROM objects WHERE first > ? ORDER BY first"
        last = -1
        while rows := self._batch(statement, last):
            yield rows
            last = rows[-1][0]

    def _batch(self, statement: str, last: int) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        size = 0
        with self._errors(), closing(self._database.execute(statement, (last,))) as cursor:
            for row in cursor:
                rows.append(row)
                size += sum(len(value) for value in row[-2:] if isinstance(value, bytes))
                if len(rows) >= BATCH or size >= BATCH_BYTES:
                    break
        return rows


def _database(path: Path | None) -> sqlite3.Connection:
    """Return a new database with an empty table."""
    name = ":memory:"
    if path:
        name = f"{path.absolute().as_uri()}?nolock=1"  # some network file systems have no locks
    database = sqlite3.connect(name, uri=True, isolation_level=None)
    for setting in (*_SETTINGS, f"CREATE TABLE objects ({_TABLE})"):
        database.execute(setting)
    return database


def _geometries(texts: Iterable[bytes | None]) -> Polygons:
    polygons: Polygons = shapely.from_wkb(np.array(list(texts), dtype=object))
    return polygons
