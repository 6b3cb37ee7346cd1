"""Crashes of test workers: their traces are below the results."""

import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = """
from support import crashed_workers
import pytest
@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    crashed_workers.register(config)
"""


@pytest.mark.parametrize(
    ("number", "shown"),
    [("SIGSEGV", "in test_crashes"), ("SIGABRT", "in test_crashes"), ("SIGKILL", "no trace"), ("SIGTERM", "no trace")],
)
@pytest.mark.full("a pytest with a worker a case")
def test_the_trace_is_below_the_results(tmp_path: Path, number: str, shown: str) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(
        f"import signal\ndef test_crashes():\n    signal.raise_signal(signal.{number})\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-n1",
        "--max-worker-restart=0",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
    ]
    options = ["--rootdir", str(tmp_path), "-o", f"pythonpath={Path(__file__).parent}", str(tmp_path)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    below = done.stdout.partition("crash of worker gw0")[2]
    assert shown in below, done.stdout
