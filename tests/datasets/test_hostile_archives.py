"""Archives from strangers: refused in one sentence before a file is written, or unpacked without their ornaments."""

import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mtlaerial.config.sources import ArchiveSpec
from mtlaerial.datasets import safe_zip
from mtlaerial.datasets.archives import Archive, unpack
from mtlaerial.errors import DataError
from support.tiny import write_zip

NAME = "city.zip"
MEMBERS = {"top/area1.tif": b"one", "top/area2.tif": b"two"}


def archive_in(root: Path, into: str = ".") -> Archive:
    spec = {"file": NAME, "page": "https://example.org", "holds": "a city", "into": into}
    return Archive(ArchiveSpec.parse(spec, "archives"), root)


def unpacked(root: Path) -> list[str]:
    """Return the files below a root but archives and marks."""
    files = (path for path in root.rglob("*") if path.is_file() and path.suffix not in (".zip", ".json"))
    return sorted(path.relative_to(root).as_posix() for path in files)


def refused(root: Path, words: str) -> None:
    """Assert that unpacking ends with a sentence and leaves no file."""
    before = unpacked(root)
    with pytest.raises(DataError, match=words) as error:
        unpack(archive_in(root))
    assert "\n" not in str(error.value)
    assert error.value.remedy
    assert unpacked(root) == before
    assert not archive_in(root).mark.exists()


def test_an_archive_that_expands_by_orders_of_magnitude_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safe_zip, "EXPANDED", 10**6, raising=False)
    write_zip(tmp_path / "small" / NAME, {"labels.tif": bytes(10**6)})
    unpack(archive_in(tmp_path / "small"))
    write_zip(tmp_path / NAME, {"labels.tif": bytes(3 * 10**6)})
    refused(tmp_path, r"found files of 3 MiB in 0\.0 MiB, \d+ times as much; expected at most 200 times, or 1 MiB")


def test_files_that_share_their_packed_bytes_are_refused(tmp_path: Path) -> None:
    """Many members over one block of packed bytes."""
    path = write_zip(tmp_path / NAME, {"a.tif": os.urandom(5000)})
    content = path.read_bytes()
    start = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    entries = b"".join(content[start:end].replace(b"a.tif", b"%c.tif" % letter) for letter in b"abcdef")
    record = bytearray(content[end:])
    struct.pack_into("<HHL", record, 8, 6, 6, len(entries))
    path.write_bytes(content[:start] + entries + record)
    refused(tmp_path, r"found files of 30\d+ packed bytes in \d+; expected files that do not overlap")


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_zip(tmp_path / NAME, dict.fromkeys("abcdef", b""))
    monkeypatch.setattr(safe_zip, "MOST_MEMBERS", 5, raising=False)
    refused(tmp_path, "found 6 files; expected at most 5")


@pytest.mark.parametrize("zip64", [False, True])
def test_a_list_of_members_that_fills_the_memory_is_not_read(
    zip64: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zip(tmp_path / NAME, MEMBERS)
    content = path.read_bytes()
    end = content.index(b"PK\x05\x06")
    record = bytearray(content[end:])
    listed = 2**32 - 1 if zip64 else 2**30
    struct.pack_into("<L", record, 12, listed)
    records64 = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 2, 2, 2**40, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    path.write_bytes(content[:end] + (records64 + locator if zip64 else b"") + record)
    monkeypatch.setattr(zipfile, "ZipFile", None)  # not even opened
    refused(tmp_path, rf"found a list of members of {1048576 if zip64 else 1024} MiB; expected at most 32 MiB")


@pytest.mark.parametrize("name", ["a\nb.tif", "\x1b[2J.tif", "x" * 256 + ".tif", "/".join(["folder"] * 200)])
def test_names_that_file_systems_do_not_allow_are_refused(name: str, tmp_path: Path) -> None:
    write_zip(tmp_path / NAME, {name: b""})
    refused(tmp_path, "a name that file systems do not allow")


def test_a_compression_that_may_take_any_memory_is_refused(tmp_path: Path) -> None:
    """LZMA's header states the size of its dictionary, up to 4 GiB."""
    write_zip(tmp_path / NAME, MEMBERS, zipfile.ZIP_LZMA)
    refused(tmp_path, r"'top/area1\.tif', a file packed by method 14 instead of deflate or bzip2")


def test_a_file_without_a_name_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / NAME, "w") as target:
        info = zipfile.ZipInfo("name")
        info.filename = ""
        target.writestr(info, b"content")
    refused(tmp_path, "'', no name of a file")


def test_reasons_that_quote_a_long_name_are_shortened(tmp_path: Path) -> None:
    path = write_zip(tmp_path / NAME, {"x" * 60_000: b"content"})
    path.write_bytes(path.read_bytes().replace(b"x", b"y", 1))  # in the file's own header
    refused(tmp_path, r"found .{1,300}; expected")


def test_names_that_differ_in_the_form_of_an_accent_are_refused(tmp_path: Path) -> None:
    write_zip(tmp_path / NAME, {"höhe.tif": b"", "ho\u0308he.tif": b""})
    refused(tmp_path, "a second file of its name")


def test_hidden_files_and_those_of_macos_are_left_out(tmp_path: Path) -> None:
    ornaments = (".DS_Store", "top/._area1.tif", "__MACOSX/top/._area1.tif", ".git/hooks/post-checkout")
    write_zip(tmp_path / NAME, {**MEMBERS, **dict.fromkeys(ornaments, b"")})
    unpack(archive_in(tmp_path))
    assert unpacked(tmp_path) == list(MEMBERS)
    assert not archive_in(tmp_path).pending


@pytest.mark.parametrize("into", [".", "sub"])
def test_an_archive_that_was_unpacked_with_its_hidden_files_is_not_unpacked_again(into: str, tmp_path: Path) -> None:
    write_zip(tmp_path / NAME, {**MEMBERS, ".DS_Store": b""})
    unpack(archive_in(tmp_path, into))
    mark = archive_in(tmp_path, into).mark
    content = json.loads(mark.read_text())
    hidden = ".DS_Store" if into == "." else f"{into}/.DS_Store"
    mark.write_text(json.dumps({**content, "members": {**content["members"], hidden: [0, 0]}}))
    assert not archive_in(tmp_path, into).pending


def test_links_in_the_root_are_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    outside.mkdir()
    write_zip(root / NAME, MEMBERS)
    (root / "top").symlink_to(outside)
    refused(root, rf"top: found a link to {outside}; expected a folder below the data root")
    assert not list(outside.iterdir())


@pytest.mark.parametrize("link", ["top/area1.tif", ".unpacked"])
def test_links_in_the_way_are_refused(link: str, tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    write_zip(root / NAME, MEMBERS)
    (root / link).parent.mkdir(exist_ok=True)
    (root / link).symlink_to(outside)
    refused(root, "found a link to")
    assert (root / link).is_symlink()
    assert not outside.exists()


def test_the_root_may_be_a_link(tmp_path: Path) -> None:
    real = tmp_path / "disk"
    write_zip(real / NAME, MEMBERS)
    (tmp_path / "root").symlink_to(real)
    unpack(archive_in(tmp_path / "root"))
    assert unpacked(real) == list(MEMBERS)


@pytest.mark.parametrize("file", ["Snakefile", "workflow/Snakefile", "pyproject.toml"])
def test_nothing_is_unpacked_into_a_project(file: str, tmp_path: Path) -> None:
    """Its files would take part: Snakemake reads profiles that it finds."""
    write_zip(tmp_path / NAME, {"profiles/default/config.yaml": b"", **MEMBERS})
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).touch()
    refused(tmp_path, rf"found a project's folder \(with .*{Path(file).name}\); expected a folder with data alone")


def put_file(root: Path) -> None:
    (root / "top").write_bytes(b"")


def put_folder(root: Path) -> None:
    (root / "top/area1.tif").mkdir(parents=True)


@pytest.mark.parametrize(("put", "words"), [(put_file, "top: found a file"), (put_folder, "found another file")])
def test_files_and_folders_in_the_way_are_refused(put: Callable[[Path], None], words: str, tmp_path: Path) -> None:
    write_zip(tmp_path / NAME, MEMBERS)
    put(tmp_path)
    refused(tmp_path, words)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_zip(tmp_path / NAME, MEMBERS)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    refused(tmp_path, r"found a folder that cannot be written to; expected one to unpack city\.zip in\. Unpack it")
