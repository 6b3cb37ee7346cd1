"""Published weights: verified and converted; without internet access, an error that names the way around."""

import hashlib
import re
from pathlib import Path

import pytest

from mtlaerial.config import load_project
from mtlaerial.config.sources import PretrainedSpec
from mtlaerial.errors import ConfigError, DataError, DownloadError
from mtlaerial.models import imagenet
from mtlaerial.models.pretrained import fetch_pretrained
from support import tiny

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    path = tmp_path / "densenet121.pth"
    path.write_bytes(CONTENT)
    return path


def spec_of(file: Path | None, url: str = "https://example.org/weights.pth", sha256: str = SHA256) -> PretrainedSpec:
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


def test_the_beginning_of_a_hash_is_not_enough() -> None:
    """Eight digits can be had by trying some billions of files."""
    with pytest.raises(ConfigError, match=r"sha256: found 'a639ec97'; expected the whole hash, 64 hexadecimal digits"):
        PretrainedSpec.parse({"url": "https://example.org/weights.pth", "sha256": "a639ec97"}, "pretrained.net")


def test_the_configuration_names_whole_hashes() -> None:
    config = load_project(tiny.CONFIG / "config.yaml")
    for name, published in config.pretrained.items():
        (digits,) = re.findall(r"-([0-9a-f]{8})\.pth$", published.url)
        assert published.sha256.startswith(digits), name


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
        fetch_pretrained("net", spec_of(copy, sha256="0" * 64), target)
    with pytest.raises(DataError):
        fetch_pretrained("net", spec_of(copy), target)
    assert list(target.parent.iterdir()) == []
