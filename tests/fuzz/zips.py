"""Zip archives in the folder of a data set: damaged ones, and ones that a stranger made to write elsewhere."""

import io
import random
import shutil
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from mtlaerial.datasets.archives import unpack_pending
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.inventory import take_inventory
from mtlaerial.pipeline.missing_files import missing_text
from support import tiny
from support.fuzz_mutations import NUMBERS
from support.fuzzing import Target

LISTED, UNLISTED = "city.zip", "download (1)"
FILES = {
    f"{layer}/city_{tile}.tif": b"pixels" * 20 for layer in ("images", "height", "labels") for tile in (1, 2, 3, 4)
}
NAMES = (
    "../evil", "/tmp/evil", "a/../../evil", "link/evil", "C:/evil", "..\\evil", "//evil", "./images/city_1.tif", ".",
    ".unpacked/city.zip.json", ".UNPACKED/city.zip.json", ".git/hooks/x", "__MACOSX/._x", "IMAGES/city_1.tif", "images",
    "images/city_1.tif/x", "a\nb", "a\x00b", "\x1b[2J", "x" * 300, "/".join("ab" * 600), "\u202e.tif", "ho\u0308he",
    "höhe", "", "Snakefile", "inner.zip", "city.zip", "download (1)", "GENERATED.txt", "con", "a ", "a.", "\ud7ff",
    "images/",
)  # fmt: skip
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
MODES = (stat.S_IFLNK | 0o777, stat.S_IFREG | 0o644, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR, 0, 0xFFFF)


class Fuzzed(Target):
    """The list of missing files with the archive under another name, and its unpacking under the listed one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.root, self.outside = folder / "root", folder / "outside"
        archive = {"file": LISTED, "page": "https://example.org", "holds": "a city"}
        self.spec = tiny.city_spec(archives=[archive])
        self.valid = [zipped(FILES, method) for method in METHODS]

    def seeds(self) -> Sequence[bytes]:
        return self.valid

    def read(self, path: Path) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.rmtree(self.outside, ignore_errors=True)
        self.outside.mkdir()
        self.root.mkdir()
        (self.root / "link").symlink_to(self.outside)
        before = self._files_elsewhere()
        shutil.copy(path, self.root / UNLISTED)
        self._list_missing()
        (self.root / UNLISTED).rename(self.root / LISTED)
        try:
            unpack_pending(self._list_missing().archives)
        finally:
            assert self._files_elsewhere() == before, "a file outside the root"
        assert not any(file.is_symlink() for file in self.root.rglob("*") if file.name != "link"), "a link"

    def _list_missing(self) -> Dataset:
        take_inventory.cache_clear()
        dataset = Dataset("city", self.spec, self.root)
        missing_text(dataset, dataset.missing())
        return dataset

    def _files_elsewhere(self) -> set[Path]:
        return {file for file in self.folder.rglob("*") if not file.is_relative_to(self.root)}

    def structured(self, rng: random.Random) -> bytes:
        make: Callable[[random.Random], bytes] = rng.choice(
            [_named, _named, _overwritten, _overwritten, _bomb, _nested]
        )
        return make(rng)


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive of files by their names."""
    target = io.BytesIO()
    with ZipFile(target, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def _named(rng: random.Random) -> bytes:
    """Return an archive with names that lead elsewhere or collide, and with modes of links and devices."""
    target = io.BytesIO()
    with ZipFile(target, "w", rng.choice(METHODS)) as archive, warnings.catch_warnings(action="ignore"):
        archive.comment = rng.randbytes(rng.choice((0, 30, 65535)))
        for name in (*rng.sample(sorted(FILES), 3), *rng.choices(NAMES, k=rng.choice((1, 1, 3)))):
            info = ZipInfo("x")
            info.filename = name  # as it is: the constructor would cut it at a NUL
            info.compress_type = rng.choice((*METHODS, zipfile.ZIP_LZMA))
            info.external_attr = (rng.choice(MODES) << 16) if rng.random() < 0.3 else 0
            archive.writestr(info, rng.randbytes(rng.choice((0, 9, 5000))))
    return target.getvalue()


def _overwritten(rng: random.Random) -> bytes:
    """Return an archive with numbers at borders in the fields of a record that a signature begins."""
    data = bytearray(zipped(FILES, rng.choice(METHODS)))
    if rng.random() < 0.3:  # with the records of zip64
        end = data.index(b"PK\x05\x06")
        sizes = [rng.choice((0, 12, 1000, 2**40, 2**64 - 1)) for _ in range(4)]
        data[end:end] = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, *sizes)
        data[end + 56 : end + 56] = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    for _ in range(rng.choice((1, 1, 2, 4))):
        signature = rng.choice((b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"))
        kind = rng.choice(("<H", "<I"))
        at = data.index(signature) + rng.randrange(4, 40)
        if at + struct.calcsize(kind) <= len(data):
            struct.pack_into(kind, data, at, rng.choice(NUMBERS) % 2 ** (8 * struct.calcsize(kind)))
    return bytes(data)


def _bomb(rng: random.Random) -> bytes:
    """Return an archive with many members, over the same packed bytes, or with sizes that are not true."""
    data = zipped({"a0000.tif": bytes(2**20)}, rng.choice(METHODS))
    start, end = data.index(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    entry, number = bytearray(data[start:end]), rng.choice((2, 1000, 9999))
    if rng.random() < 0.5:
        struct.pack_into("<L", entry, 24, rng.choice((0, 2**30, 2**32 - 1)))  # the expanded size
    entries = b"".join(bytes(entry).replace(b"a0000", b"a%04d" % index) for index in range(number))
    record = bytearray(data[end:])
    struct.pack_into("<HHL", record, 8, number, number, len(entries))
    return data[:start] + entries + bytes(record)


def _nested(rng: random.Random) -> bytes:
    """Return archives in archives, below folders."""
    data = zipped(FILES)
    for depth in range(rng.choice((1, 2, 30))):
        prefix = "in/" * rng.choice((0, 1, 3))
        files = {f"{prefix}{name}": content for name, content in FILES.items() if rng.random() < 0.2}
        data = zipped({f"{prefix}level{depth}.zip": data, **files})
    return data
