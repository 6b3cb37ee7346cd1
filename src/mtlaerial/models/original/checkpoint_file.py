"""The two containers of torch's checkpoints, opened without torch: zip archives, and before version 1.6 plain pickles.

Nothing is read but the pickle and, on request, the values of single storages, so that the memory depends neither on the
size of the file nor on what it declares.
"""

import io
import struct
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mtlaerial.models.original.pickle_reader import Malformed, Storage, read_pickle

MAX_PICKLE = 2**26
"""Bytes of the objects beside the values: hundreds of times what a network's have."""
MAX_INDEX = 2**23
"""Bytes of an archive's table of contents: a hundred times a network's."""
ZIP = b"PK\x03\x04"
"""First bytes of a checkpoint since torch 1.6."""
_MAGIC = 0x1950A86A20F9469CFC6C
"""First object of a checkpoint before torch 1.6."""
_COUNT = struct.Struct("<q")
"""The number of a storage's values in such a checkpoint, before the values."""
_CHUNK = 2**20


@dataclass(frozen=True)
class CheckpointFile:
    """An open checkpoint.

    Attributes
    ----------
    content : object
        As :func:`mtlaerial.models.original.pickle_reader.read_pickle` returns it.
    sizes : dict of str to int
        Bytes of each storage in the file, by its key.
    open_values : callable
        Opens the bytes of the storage with a key.
    """

    content: Any
    sizes: dict[str, int]
    open_values: Callable[[str], AbstractContextManager[IO[bytes]]]

    def read_values(self, storage: Storage) -> bytearray:
        """Return the bytes of a storage."""
        values = bytearray(self.sizes[storage.key])
        with self.open_values(storage.key) as source:
            for begin in range(0, len(values), _CHUNK):
                values[begin : begin + _CHUNK] = _exactly(source, min(_CHUNK, len(values) - begin))
        return values


@contextmanager
def open_checkpoint(path: Path) -> Iterator[CheckpointFile]:
    """Open a checkpoint of either format.

    Raises
    ------
    Exception
        Of any type, when the file is damaged or something else.
    """
    with path.open("rb") as file:
        if file.read(len(ZIP)) != ZIP:
            yield _read_pickles(file)
            return
        size = file.seek(0, io.SEEK_END)
        with zipfile.ZipFile(_Limited(file)) as archive:
            yield _read_archive(archive, size)


class _Limited:
    """A file that returns few bytes at once: ``ZipFile`` reads a table of contents as long as the file says it is."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, size: int = -1) -> bytes:
        if size > MAX_INDEX:
            raise Malformed(f"a table of contents of {size:,} bytes")
        return self._file.read(size if size >= 0 else MAX_INDEX)


def _read_archive(archive: zipfile.ZipFile, size: int) -> CheckpointFile:
    """Read a checkpoint since torch 1.6: an archive of ROOT/data.pkl, and ROOT/data/KEY for each storage."""
    members = {member.filename: member for member in archive.infolist()}
    roots = [name.removesuffix("data.pkl") for name in members if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(roots) != 1 or len(members) < len(archive.infolist()):
        raise Malformed("an archive of other files")
    root = roots[0]
    if f"{root}constants.pkl" in members:
        raise Malformed("a program (TorchScript) instead of weights")
    compressed = any(member.compress_type for member in members.values())
    if compressed or sum(member.file_size for member in members.values()) > size:
        raise Malformed("more bytes in the archive than the file has")
    if f"{root}byteorder" in members and _exactly(archive.open(f"{root}byteorder"), 6) != b"little":
        raise Malformed("values with the highest byte first")
    pickled = members[f"{root}data.pkl"]
    if pickled.file_size > MAX_PICKLE:
        raise Malformed(f"{pickled.file_size:,} bytes of objects beside the weights")
    content = read_pickle(io.BytesIO(archive.read(pickled)))
    prefix = f"{root}data/"
    sizes = {name.removeprefix(prefix): members[name].file_size for name in members if name.startswith(prefix)}
    return CheckpointFile(content, sizes, lambda key: archive.open(prefix + key))


def _read_pickles(file: IO[bytes]) -> CheckpointFile:
    """Read a checkpoint before torch 1.6: five pickles, of which the last lists the storages; then their values."""
    file.seek(0)
    pickles = io.BytesIO(file.read(MAX_PICKLE))
    if read_pickle(pickles) != _MAGIC:
        raise Malformed("objects of Python instead of weights")
    _version, system = read_pickle(pickles), read_pickle(pickles)
    if not isinstance(system, dict) or not system.get("little_endian", True):
        raise Malformed("values with the highest byte first")
    storages: dict[str, Storage] = {}
    content, keys = read_pickle(pickles, storages), read_pickle(pickles)
    places = _places(file, pickles.tell(), [storages[key] for key in keys])
    sizes = {key: end - begin for key, (begin, end) in places.items()}
    return CheckpointFile(content, sizes, lambda key: _opened_at(file, places[key][0]))


def _places(file: IO[bytes], begin: int, storages: Sequence[Storage]) -> dict[str, tuple[int, int]]:
    """Return begin and end of each storage's values in the file, by its key."""
    size = file.seek(0, io.SEEK_END)
    places = {}
    for storage in storages:
        file.seek(begin)
        (count,) = _COUNT.unpack(_exactly(file, _COUNT.size))
        begin += _COUNT.size
        end = begin + count * storage.dtype.itemsize
        if count != storage.count or end > size:
            raise Malformed("values that are cut off")
        places[storage.key] = (begin, end)
        begin = end
    return places


def _opened_at(file: IO[bytes], begin: int) -> AbstractContextManager[IO[bytes]]:
    file.seek(begin)
    return nullcontext(file)


def _exactly(file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise Malformed("a file that is cut off")
    return data
