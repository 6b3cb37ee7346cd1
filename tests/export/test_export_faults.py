"""Exports that are refused or fail: one sentence, and no half-written file."""

import errno
import re
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.config import EncoderDecoderSpec
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.export import export_run, exporting
from mtlaerial.runs.run import RunDescription, read_description


@pytest.fixture
def untrained(run_folder: Path, tmp_path: Path) -> Path:
    """Return the folder of a run of heights without weights."""
    folder = tmp_path / "run"
    folder.mkdir()
    text = (run_folder / "run.yaml").read_text(encoding="utf-8")
    (folder / "run.yaml").write_text(text.replace("  - semantics\n", "", 1), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "model.safetensors: found no file; expected the run's weights"),
        ({"task": "semantics"}, "--task: found semantics; expected a task of the run: height"),
        ({"out": Path("town.pt")}, "--out: found town.pt; expected a name that ends in .onnx"),
        ({"format": "pt2", "out": Path("town.onnx")}, "--out: found town.onnx; expected a name that ends in .pt2"),
    ],
)
def test_errors_name_the_fault(untrained: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, DataError), match=re.escape(message)):
        export_run(untrained, **options)
    assert [path.name for path in untrained.iterdir()] == ["run.yaml"]


@pytest.mark.parametrize("model", ["swinv2_tiny_window8_256", "swin_base_patch4_window7_224.ms_in22k"])
def test_networks_that_the_exporter_does_not_finish_are_refused_for_images_of_any_size(
    untrained: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both hung: their padding to whole windows is a nested remainder of the image's size."""
    encoder = EncoderDecoderSpec.parse({"encoder": {"name": "timm", "model": model}}, "model")

    def described(run: Path) -> RunDescription:
        description = read_description(run)
        return description.model_copy(update={"plan": description.plan.model_copy(update={"model": encoder})})

    monkeypatch.setattr(exporting, "read_description", described)
    for options in ({"format": "pt2"}, {"format": "pt2", "task": "height"}, {}):
        with pytest.raises(
            ConfigError, match=f"the encoder timm/{model}, which torch's exporter .* --format onnx --task"
        ):
            export_run(untrained, **options)
    with pytest.raises(DataError, match="the run's weights"):  # it goes on with images of one size
        export_run(untrained, task="height")


def test_without_the_packages_it_says_how_to_get_them(untrained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "find_spec", lambda name: None if name == "onnxscript" else name)
    with pytest.raises(ConfigError, match=r"no package onnxscript; .* pip install 'mtlaerial\[export\]'"):
        export_run(untrained)


def test_a_full_disk_leaves_what_was_there(run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(program: object, path: Path, *_: object) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(exporting, "traced", lambda *_: None)
    monkeypatch.setattr(exporting, "save_onnx", half)
    (tmp_path / "town.onnx").write_bytes(b"before")
    with pytest.raises(DataError, match=r"town\.onnx: found no space left on device"):
        export_run(run_folder, "onnx", tmp_path / "town.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["town.onnx"]
    assert (tmp_path / "town.onnx").read_bytes() == b"before"
