"""Passive waiting of OpenMP's threads, in the commands that predict."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def environment(**more: str) -> dict[str, str]:
    """Return the environment with OpenMP's display of its settings, and no setting of how threads wait."""
    kept = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    return {**kept, "OMP_DISPLAY_ENV": "TRUE", **more}


@pytest.mark.full("starts processes that import torch")
@pytest.mark.parametrize(("stated", "policy"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_threads_of_a_prediction_sleep_while_they_wait(
    stated: dict[str, str], policy: str, run_folder: Path, tmp_path: Path
) -> None:
    (image := tmp_path / "a.tif").write_bytes(b"no image")  # of which nothing is known before torch is imported
    command = [sys.executable, "-m", "mtlaerial", "predict", str(run_folder), str(image), "--out", str(tmp_path / "b")]
    done = subprocess.run(command, env=environment(**stated), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"OMP_WAIT_POLICY = '{policy}'" in done.stderr
