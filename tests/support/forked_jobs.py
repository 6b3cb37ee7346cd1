"""The job server of this test process: started by the first workflow that runs jobs."""

import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from support.paths import TESTS

CLIENT = f"{sys.executable} -IS {TESTS / 'support/job_client.py'}"
"""Takes a script, as Python does."""


@cache
def job_server() -> Path:
    """Start the server, and return its socket."""
    path = Path(tempfile.mkdtemp(prefix="jobs-")) / "socket"
    command = [sys.executable, "-m", "support.job_server", str(path)]
    server = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": str(TESTS)}, stdout=subprocess.PIPE, start_new_session=True
    )
    assert server.stdout
    assert server.stdout.readline() == b"ready\n"
    return path


def cpu_seconds_of_jobs() -> float:
    """Return the CPU time of all jobs that have ended."""
    return float(job_server().with_suffix(".cpu").read_text())
