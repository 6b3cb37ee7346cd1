"""Resumed workflows: a broken one ends with the results of an unbroken one."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from mtlaerial.config import merge
from mtlaerial.runs.lock import run_lock
from support.paths import ROOT
from support.waiting import eventually
from support.workplace import TINY, Workplace, job_of, session

pytestmark = pytest.mark.workflow
RESUME = "workflow/resume.py"
DIES = """\
import os, signal
from mtlaerial.training.resume_state import ResumeFile
save, mark = ResumeFile.save, "died"
def save_and_die(self, state):
    save(self, state)
    if not os.path.exists(mark):
        open(mark, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
ResumeFile.save = save_and_die
"""
"""Put before the training's script: it dies once, after its first epoch."""


@pytest.mark.full("a real training, twice")
def test_retry_goes_on(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "place")
    script = place.folder / "workflow/scripts/train.py"
    script.write_text(DIES + script.read_text())
    weights = Path("results/town/runs/equal/seed0/model.safetensors")
    expected = (place.folder / weights).read_bytes()
    run = place.run(str(weights), "--forcerun", "train")
    assert run.returncode == 0, run.stdout
    assert (place.folder / "died").exists()
    assert "going on after step" in run.stdout
    assert (place.folder / weights).read_bytes() == expected
    assert not list(place.folder.rglob("*.resume.pt"))


@pytest.mark.full("real jobs; a retry is in the quick tier")
def test_resume_file_survives(finished: Workplace, tmp_path: Path) -> None:
    """Snakemake deletes the outputs of a job that failed for good; the state of the training stays."""
    place = finished.copy(tmp_path / "place")
    script = place.folder / "workflow/scripts/train.py"
    script.write_text(DIES.replace("if not os.path.exists(mark)", "if True") + script.read_text())
    folder = place.folder / "results/town/runs/equal/seed0"
    assert place.run("results/town/runs/equal/seed0/model.safetensors", "--forcerun", "train").returncode == 1
    assert (folder / "model.resume.pt").exists()
    assert not (folder / "model.safetensors").exists()


@pytest.mark.full("a real training, and Snakemake three times")
def test_living_jobs_are_respected(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "place")
    overlay = place.folder / "overlay.yaml"
    data = yaml.safe_load(overlay.read_text())
    data["run"] |= {"methods": ["equal"], "seeds": [1]}
    data["training"] |= {"epochs": 400}
    overlay.write_text(yaml.safe_dump(data))
    snakemake = place.start()
    eventually(lambda: any(job_of(process) == "train" for process in session(snakemake.pid)))
    os.kill(snakemake.pid, signal.SIGKILL)
    snakemake.wait()
    (orphan,) = [process for process in session(snakemake.pid) if job_of(process) == "train"]
    refused = place.run(script=RESUME)
    assert refused.returncode == 1
    assert len(refused.stdout.splitlines()) == 1
    assert f"processes {orphan.pid}" in refused.stdout
    orphan.kill()
    orphan.wait()
    locked = place.run("--rerun-incomplete")
    assert locked.returncode == 1
    assert "LockException" in locked.stdout
    resumed = place.run("--dry-run", script=RESUME)
    assert resumed.returncode == 0, resumed.stdout
    assert "Training equal on town, seed 1" in resumed.stdout


def test_the_folder_is_the_one_that_snakemake_works_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(ROOT / "workflow")
    import resume

    busy, here = tmp_path / "busy", tmp_path / "here"
    for folder in (busy, here):
        folder.mkdir()
    monkeypatch.chdir(here)
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=3)

    monkeypatch.setattr(subprocess, "run", run)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)", "snakemake"], cwd=busy) as process:
        eventually(lambda: resume.owners(busy))
        for arguments in (["-d", str(busy)], ["--directory=../busy", "--cores", "2"]):
            assert resume.main(arguments) == 1
            assert f"still at work in {busy}: processes {process.pid}." in capsys.readouterr().err
        assert commands == []
        assert resume.main(["--cores", "2"]) == 3
        process.kill()
    assert commands == [[sys.executable, "-m", "snakemake", "--cores", "2", "--unlock"]]


HOLDS = """\
import sys, time
from pathlib import Path
from mtlaerial.runs.lock import run_lock
from mtlaerial.config import merge
with run_lock(Path(sys.argv[1])):
    print("holding", flush=True)
    time.sleep(1000)
"""


def test_one_training_at_a_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A second one waits, says so once, and goes on when the first is killed."""
    folder = tmp_path / "seed0"
    holder = subprocess.Popen([sys.executable, "-c", HOLDS, str(folder)], stdout=subprocess.PIPE)
    assert holder.stdout
    assert holder.stdout.readline() == b"holding\n"

    def kill_when_another_waits() -> None:
        eventually(lambda: "another process" in caplog.text)
        holder.kill()

    killer = threading.Thread(target=kill_when_another_waits)
    killer.start()
    with run_lock(folder):
        assert holder.wait(240) == -signal.SIGKILL
    killer.join()
    assert [record.message for record in caplog.records if "another process" in record.message] == [
        f"{folder} is being trained by another process: waiting until that ends"
    ]
    assert list(folder.iterdir()) == []


@pytest.mark.full("whole workflows, one killed at a random moment; docs/reliability.md tells of hundreds")
def test_a_killed_workflow_goes_on(tmp_path: Path) -> None:
    overlay = tmp_path / "one_method.yaml"
    overlay.write_text(yaml.safe_dump(merge(yaml.safe_load(TINY.read_text()), {"run": {"methods": ["equal"]}})))
    command = [sys.executable, str(Path(__file__).with_name("inject.py")), "kill", "--times", "1"]
    command += ["--overlay", str(overlay), "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kill: 1 injections, 0 differences" in done.stdout
