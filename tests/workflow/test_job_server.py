"""The server that forks jobs: a script runs and ends as by an interpreter of its own."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.forked_jobs import CLIENT, cpu_seconds_of_jobs, job_server
from support.waiting import eventually

pytestmark = pytest.mark.full("a process with all libraries that jobs import")
SAYS = "import os, sys; print(os.getcwd(), os.environ['PLACE'], __name__, sys.argv[1:]); import beside"
ENDS = [
    ("raise SystemExit", 0),
    ("raise SystemExit(3)", 3),
    ("raise SystemExit('wrong')", 1),
    ("1 / 0", 1),
    ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
    ("import os; os.kill(os.getpid(), 15)", -signal.SIGTERM),
]


def command(script: Path) -> list[str]:
    return [*shlex.split(CLIENT), str(script)]


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PLACE": "here", "JOB_SERVER": str(job_server())}
    return {"cwd": tmp_path, "env": environment, "text": True}


def test_a_script_has_its_folder_environment_arguments_and_modules(tmp_path: Path, options: dict[str, Any]) -> None:
    (tmp_path / "beside.py").write_text("import sys; print('beside', file=sys.stderr)")
    script = tmp_path / "script.py"
    script.write_text(SAYS)
    outputs = [
        subprocess.run([*program, "one", "two"], capture_output=True, check=True, **options)
        for program in (command(script), [sys.executable, str(script)])
    ]
    forked, ordinary = ((done.stdout, done.stderr) for done in outputs)
    assert forked == ordinary == (f"{tmp_path} here __main__ ['one', 'two']\n", "beside\n")


@pytest.mark.parametrize(("text", "code"), ENDS)
def test_the_client_ends_as_the_script(tmp_path: Path, options: dict[str, Any], text: str, code: int) -> None:
    script = tmp_path / "script.py"
    script.write_text(text)
    forked, ordinary = (
        subprocess.run(program, capture_output=True, check=False, **options)
        for program in (command(script), [sys.executable, str(script)])
    )
    assert forked.returncode == ordinary.returncode == code
    assert forked.stderr.splitlines()[-1:] == ordinary.stderr.splitlines()[-1:]


def test_signals_reach_the_script(tmp_path: Path, options: dict[str, Any]) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
        "print('ready', flush=True)\ntime.sleep(100)"
    )
    client = subprocess.Popen(command(script), stdout=subprocess.PIPE, **options)
    assert client.stdout
    assert client.stdout.readline() == "ready\n"
    client.terminate()
    assert client.wait(60) == 5


def test_a_script_ends_with_its_client_and_its_time_is_counted(tmp_path: Path, options: dict[str, Any]) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import time\nbegun = time.process_time()\nwhile time.process_time() < begun + 0.3: pass\n"
        "print('at work', flush=True)\ntime.sleep(100)"
    )
    before = cpu_seconds_of_jobs()
    client = subprocess.Popen(command(script), stdout=subprocess.PIPE, **options)
    assert client.stdout
    assert client.stdout.readline() == "at work\n"
    client.kill()
    client.wait()
    eventually(lambda: cpu_seconds_of_jobs() > before + 0.2)
