"""Installations without extras: predictions and scores work, and commands that need an extra say which."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from support import tiny
from support.paths import environment

pytestmark = pytest.mark.full("commands in processes of their own, which import torch")
WITHOUT_EXTRAS = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, *arguments):
        absent = name.split(".")[0] in {"cvxpy", "snakemake", "torchjd"}
        return None if absent else self.finder.find_spec(name, *arguments)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = map(Without, sys.meta_path)
from mtlaerial.cli import main
main()
"""


def call(*arguments: object) -> tuple[int, str]:
    """Return exit code and output of a command that finds no package of the extras ``train`` and ``workflow``."""
    command = [sys.executable, "-c", WITHOUT_EXTRAS, *map(str, arguments)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_an_image_is_mapped(run_folder: Path, tmp_path: Path) -> None:
    image = tiny.write_raster(tmp_path / "ortho.tif", np.full((3, 64, 64), 7, dtype="uint8"))
    code, output = call("predict", run_folder, image, "--out", tmp_path / "maps")
    assert code == 0, output
    assert (tmp_path / "maps" / "height.tif").exists()


def test_the_modules_of_scores_and_calibration_are_imported() -> None:
    code = WITHOUT_EXTRAS.replace("from mtlaerial.cli import main\nmain()", "")
    code += "import mtlaerial.pipeline.calibrate_command, mtlaerial.pipeline.score_runs, mtlaerial.export"
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True)


def test_a_training_says_what_its_weighting_needs(tmp_path: Path) -> None:
    code, output = call("train", "city", "--root", tmp_path, "--out", tmp_path / "run", "--method", "pcgrad")
    assert code == 1
    assert output.splitlines()[-1] == (
        "Error: weighting pcgrad: found no package torchjd; expected it to be installed. "
        "Install it with: pip install 'mtlaerial[train]'"
    )


def test_a_new_project_says_what_to_install(tmp_path: Path) -> None:
    code, output = call("init", tmp_path / "here", "--dataset", "own")
    assert code == 0
    assert output.splitlines()[-1].endswith("Install it with: pip install 'mtlaerial[workflow]'")
