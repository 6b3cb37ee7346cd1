"""Outputs that cannot be written, on the command line: one clear message, and no partial file."""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from support import tiny
from support.command_line import Town, config, image

BELOW_A_FILE = Path("/dev/null/below")
"""A folder that nobody can make, not even root."""


def test_unwritable_outputs_are_named(town: Town, run: Path, program: Callable[..., tuple[int, str]]) -> None:
    out = ("--out", BELOW_A_FILE)
    messages = ("Error: /dev/null/below", "Not a directory", "Choose another folder", "choose another folder")
    for arguments in (
        ("predict", run, image(run.parent), *out),
        ("train", town.spec, "--root", town.root, *out, "--config", config(town)),
        ("synthesise", town.spec, *out, "--size", "64"),
        ("check", town.spec, "--root", town.root, "--report", BELOW_A_FILE / "report.json"),
    ):
        code, text = program(*arguments)
        assert code == 1, text
        assert messages[0] in text
        assert messages[1].lower() in text.lower(), text
        assert messages[2] in text or messages[3] in text


WORK = {
    "check": "mtlaerial.datasets.check.check_dataset",
    "probe": "mtlaerial.probe.probe",
    "export": "mtlaerial.export.exporting.load_run",
    "calibrate": "mtlaerial.pipeline.calibrate_command.calibrate_on",
    "assess": "mtlaerial.accuracy.assess.assess_points",
    "score-objects": "mtlaerial.objects.scoring.score_files",
    "vectorise": "mtlaerial.objects.vectorise.read_region",
    "predict": "mtlaerial.prediction.settings.prediction_for",
    "score": "mtlaerial.pipeline.score_runs.require_sound",
    "train": "mtlaerial.pipeline.single_run.require_sound",
}
"""What takes each command's time."""


@pytest.mark.parametrize("command", WORK)
def test_a_place_without_the_right_to_write_is_refused_before_any_work(
    command: str, town: Town, run: Path, program: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")  # root, who may run the tests, has the right

    def work(*arguments: object, **named: object) -> None:
        pytest.fail("worked for a result that cannot be written")

    out = town.folder / "out"
    arguments = {
        "check": (town.spec, "--root", town.root, "--report", out / "report.json"),
        "probe": ("--config", config(town), "--json", out / "rates.json"),
        "export": (run, "--format", "pt2", "--out", out / "town.pt2"),
        "calibrate": (run, town.spec, "--root", town.root),
        "assess": (out, out / "points.gpkg", "--out", out),
        "score-objects": (out / "objects.gpkg", out / "truth.gpkg", "--out", out),
        "vectorise": (out, "--out", out / "objects.gpkg"),
        "predict": (run, image(run.parent), "--out", out),
        "score": (run, town.spec, "--root", town.root, "--out", out),
        "train": (town.spec, "--root", town.root, "--out", out, "--config", config(town)),
    }
    monkeypatch.setattr("mtlaerial.system.files.make_folder", refuse)
    monkeypatch.setattr(WORK[command], work)
    code, text = program(command, *arguments[command])
    assert code == 1
    expected = ": found permission denied; expected a place to write to. Allow writing there, or choose another folder."
    assert text.splitlines()[-1].endswith(expected)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 200 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_leaves_no_partial_file(
    town: Town, run: Path, small_disk: Path, program: Callable[..., tuple[int, str]]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (3, 512, 512), np.uint8)
    large = tiny.write_raster(town.folder / "ortho.tif", noise)
    for arguments in (
        ("predict", run, large, "--out", small_disk / "maps"),
        ("train", town.spec, "--root", town.root, "--out", small_disk / "run", "--config", config(town)),
        ("synthesise", town.spec, "--out", small_disk / "town", "--size", "512"),
    ):
        code, text = program(*arguments)
        assert code == 1, text
        assert str(small_disk) in text
        assert "Free space" in text
        assert not (small_disk / "maps" / "height.tif").exists()
        for path in small_disk.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
