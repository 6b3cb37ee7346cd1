"""Published weights: verified and converted; without internet access, an error that names the way around."""

import hashlib
from pathlib import Path

import pytest

from mtlaerial.config.sources import PretrainedSpec
from mtlaerial.errors import DataError, DownloadError
from mtlaerial.models import imagenet
from mtlaerial.models.pretrained import fetch_pretrained

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    path = tmp_path / "densenet121.pth"
    path.write_bytes(CONTENT)
    return path


def spec_of(
    file: Path | None, url: str = "https://example.org/weights.pth", sha256: str = SHA256[:8]
) -> PretrainedSpec:
    return PretrainedSpec(url=url, sha256=sha256, file=str(file) if file else None)


@pytest.mark.parametrize("by_url", [True, False])
def test_a_copy_or_the_published_file_is_converted(
    by_url: bool, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        imagenet, "convert_densenet", lambda source, target: target.write_bytes(source.read_bytes() * 2)
    )
    target = tmp_path / "results" / "net.safetensors"
    fetch_pretrained("net", spec_of(None, copy.as_uri()) if by_url else spec_of(copy), target)
    assert target.read_bytes() == CONTENT * 2
    assert list(target.parent.iterdir()) == [target]
    assert copy.exists()


def test_hashes_may_be_in_capitals(copy: Path) -> None:
    assert spec_of(copy, sha256=SHA256.upper()).sha256 == SHA256


def test_without_the_file_both_ways_out_are_told(tmp_path: Path) -> None:
    with pytest.raises(DownloadError) as caught:
        fetch_pretrained("net", spec_of(tmp_path / "absent.pth"), tmp_path / "net.safetensors")
    for words in (
        "absent.pth: found no file",
        "https://example.org/weights.pth as pretrained.net.file",
        "pretrained: none",
    ):
        assert words in str(caught.value)


def test_another_file_is_refused_and_one_of_another_network_leaves_nothing(copy: Path, tmp_path: Path) -> None:
    target = tmp_path / "results" / "net.safetensors"
    with pytest.raises(DownloadError, match="SHA-256"):
        fetch_pretrained("net", spec_of(copy, sha256="0" * 8), target)
    with pytest.raises(DataError):
        fetch_pretrained("net", spec_of(copy), target)
    assert list(target.parent.iterdir()) == []
