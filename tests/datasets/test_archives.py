"""Archives: their members are listed before they are unpacked, and unpacking is safe and can be repeated."""

import hashlib
import shutil
import stat
import zipfile
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.config.sources import ArchiveSpec
from mtlaerial.datasets.archives import Archive, Mark, unpack
from mtlaerial.errors import ConfigError, DataError
from support.tiny import write_zip

FILES = {"top/area1.tif": b"one" * 1000, "top/area2.tif": b"two" * 1000, "readme.txt": b"read me"}
NAME = "city.zip"
PAGE = "https://example.org/city"


def archive_in(root: Path, **spec: Any) -> Archive:
    return Archive(ArchiveSpec.parse({"file": NAME, "page": PAGE, "holds": "a city", **spec}, "archives"), root)


def contents(root: Path) -> dict[str, bytes]:
    """Return every file below a folder but archives and marks."""
    files = (path for path in root.rglob("*") if path.is_file() and path.suffix not in (".zip", ".json"))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("folder", ["", "archives"])
def test_members_of_an_archive_are_listed_before_and_after_unpacking(folder: str, tmp_path: Path) -> None:
    path = write_zip(tmp_path / folder / NAME, FILES)
    expected = [tmp_path / "sub" / name for name in FILES]
    before = archive_in(tmp_path, into="sub")
    assert before.path == path
    assert before.provided == expected
    assert before.pending
    unpack(before)
    assert contents(tmp_path / "sub") == FILES
    for _ in range(2):
        after = archive_in(tmp_path, into="sub")
        assert after.provided == expected
        assert not after.pending
        path.unlink(missing_ok=True)


@pytest.mark.parametrize("there", [True, False])
def test_a_file_that_was_lost_is_no_longer_provided(there: bool, tmp_path: Path) -> None:
    path = write_zip(tmp_path / NAME, FILES)
    unpack(archive_in(tmp_path))
    if not there:
        path.unlink()
    (tmp_path / "readme.txt").unlink()
    assert archive_in(tmp_path).provided == [tmp_path / name for name in list(FILES)[:2]]


def test_the_mark_records_the_unpacked_members(tmp_path: Path) -> None:
    path = write_zip(tmp_path / NAME, FILES)
    hashes = {name: hashlib.new(name, path.read_bytes()).hexdigest() for name in ("md5", "sha256")}
    archive = archive_in(tmp_path, **hashes)
    unpack(archive)
    mark = Mark.model_validate_json(archive.mark.read_text())
    assert mark.archive == NAME
    assert mark.hashes == hashes
    sizes = {name: len(content) for name, content in FILES.items()}
    assert {name: member.size for name, member in mark.members.items()} == sizes
    archive.mark.write_text("{}")
    with pytest.raises(DataError, match="Delete it"):
        _ = archive_in(tmp_path).pending


def test_another_archive_of_that_name_is_unpacked_too(tmp_path: Path) -> None:
    write_zip(tmp_path / NAME, FILES)
    first = archive_in(tmp_path)
    unpack(first)
    write_zip(tmp_path / NAME, {**FILES, "more.txt": b"more"})
    second = archive_in(tmp_path)
    assert second.pending
    assert second.fingerprint != first.fingerprint
    unpack(second)
    assert not archive_in(tmp_path).pending
    assert contents(tmp_path) == {**FILES, "more.txt": b"more"}


def test_unpacking_goes_on_where_it_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_zip(tmp_path / NAME, FILES)
    copied: list[str] = []
    copy = shutil.copyfileobj

    def killed(packed: Any, file: Any, length: int) -> None:
        copied.append(packed.name)
        if len(copied) == 2:
            file.write(b"half")
            raise KeyboardInterrupt
        copy(packed, file, length)

    monkeypatch.setattr(shutil, "copyfileobj", killed)
    with pytest.raises(KeyboardInterrupt):
        unpack(archive_in(tmp_path))
    assert contents(tmp_path) == {"top/area1.tif": FILES["top/area1.tif"]}
    assert archive_in(tmp_path).pending
    unpack(archive_in(tmp_path))
    assert copied == ["top/area1.tif", "top/area2.tif", "top/area2.tif", "readme.txt"]
    assert contents(tmp_path) == FILES


@pytest.mark.parametrize("content", [b"eno" * 1000, b"longer" * 1000])
def test_a_file_of_another_content_is_not_overwritten(content: bytes, tmp_path: Path) -> None:
    write_zip(tmp_path / NAME, FILES)
    (tmp_path / "top").mkdir()
    (tmp_path / "top/area1.tif").write_bytes(content)
    with pytest.raises(DataError, match=r"area1\.tif: found another file"):
        unpack(archive_in(tmp_path))
    assert (tmp_path / "top/area1.tif").read_bytes() == content
    assert not archive_in(tmp_path).mark.exists()


@pytest.mark.parametrize(
    "name", ["/etc/evil", "../evil", "top/../../evil", "C:/evil", "C:evil", "..\\evil", ".unpacked/city.zip.json"]
)
def test_a_path_out_of_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_zip(root / NAME, {"good.txt": b"", name: b"evil"})
    with pytest.raises(DataError, match=r"a path that leads out|no name of a file"):
        unpack(archive_in(root))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [NAME]


@pytest.mark.parametrize("second", ["a.tif", "A.TIF", "a.tif/b.tif", "A.tif/b.tif"])
def test_colliding_names_are_refused(second: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / NAME, "w") as target, pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *arguments, **more: None)
        target.writestr("a.tif", b"1")
        target.writestr(second, b"2")
    with pytest.raises(DataError, match="a second file of its name"):
        unpack(archive_in(tmp_path))
    assert contents(tmp_path) == {}


def test_links_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / NAME, "w") as target:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        target.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match="'link', a link or a device"):
        unpack(archive_in(tmp_path))
    assert contents(tmp_path) == {}


def test_encrypted_files_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / NAME, {"a.tif": b"secret"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"'a\.tif', an encrypted file"):
        unpack(archive_in(tmp_path))


@pytest.mark.parametrize("damage", ["truncated", "no zip", "empty", "flipped byte"])
def test_damaged_archives_are_refused(damage: str, tmp_path: Path) -> None:
    path = write_zip(tmp_path / NAME, FILES, zipfile.ZIP_STORED)
    content = path.read_bytes()
    flipped = content.replace(b"one", b"eno", 1)
    damaged = {"truncated": content[:2000], "no zip": b"<html>" * 99, "empty": b"", "flipped byte": flipped}
    path.write_bytes(damaged[damage])
    with pytest.raises(DataError, match=r"city\.zip.*expected a zip archive.*get it anew"):
        unpack(archive_in(tmp_path))
    assert contents(tmp_path) == {}
    assert not archive_in(tmp_path).mark.exists()


@pytest.mark.parametrize("hashes", [{"md5": "0" * 32}, {"sha256": "0" * 64}])
def test_an_archive_that_is_not_the_published_one_is_refused(hashes: dict[str, str], tmp_path: Path) -> None:
    write_zip(tmp_path / NAME, FILES)
    with pytest.raises(DataError, match=rf"(MD5|SHA256) \w+; expected 0+, as published.*{PAGE}"):
        unpack(archive_in(tmp_path, **hashes))
    assert contents(tmp_path) == {}


def test_free_space_is_checked_first_for_the_missing_files_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_zip(tmp_path / NAME, FILES)
    usage = namedtuple("usage", "free")(5000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DataError, match=r"0\.00 GB free.*Free space"):
        unpack(archive_in(tmp_path))
    assert contents(tmp_path) == {}
    (tmp_path / "top").mkdir()
    (tmp_path / "top/area2.tif").write_bytes(FILES["top/area2.tif"])
    unpack(archive_in(tmp_path))
    assert contents(tmp_path) == FILES


def test_zip64_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / NAME, "w") as target, target.open("big.tif", "w", force_zip64=True) as file:
        file.write(b"big")
    unpack(archive_in(tmp_path))
    assert contents(tmp_path) == {"big.tif": b"big"}


def test_a_missing_archive_is_refused(tmp_path: Path) -> None:
    archive = archive_in(tmp_path)
    assert archive.path is None
    assert archive.provided == []
    assert not archive.pending
    with pytest.raises(DataError, match=f"no file.*{PAGE}"):
        unpack(archive)


@pytest.mark.parametrize("key", [{"file": "sub/city.zip"}, {"into": "../out"}, {"into": "/out"}, {"md5": "462b"}])
def test_wrong_specifications(key: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        archive_in(tmp_path, **key)


def test_names_that_are_not_utf_8_though_marked_as_such_are_told(tmp_path: Path) -> None:
    path = write_zip(tmp_path / NAME, {"Höhe.tif": b"content"})
    path.write_bytes(path.read_bytes().replace("ö".encode(), b"\xff\xfe"))
    with pytest.raises(DataError, match="names of files that are not the UTF-8 that they are marked as"):
        unpack(archive_in(tmp_path))
