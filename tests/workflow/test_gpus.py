"""Trainings on two GPUs that are simulated: each has one of its own, none is idle while work waits, and one training
has several processes."""

import re
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from mtlaerial.runs.cost import load_cost
from support.gpus import FIRST, SECOND, simulate
from support.workplace import Workplace

pytestmark = pytest.mark.workflow
RUNS = [("equal", 0), ("equal", 1), ("height", 0), ("height", 1)]
DIES = """
import os, signal
from mtlaerial.training.resume_state import ResumeFile
save = ResumeFile.save
def save_and_die(self, state):
    save(self, state)
    try:
        os.close(os.open("died", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
ResumeFile.save = save_and_die
"""
"""Put into a training: the first that stores a state dies of it, with its GPU in its hands."""
LATE = 60.0
"""Seconds after which a job that waits must have taken a free GPU, on a machine that has other things to do."""


class Hold(NamedTuple):
    gpu: str
    took: float
    ended: float


def target(method: str, seed: int) -> str:
    return f"results/town/runs/{method}/seed{seed}/model.safetensors"


def log_of(place: Workplace, method: str, seed: int) -> Path:
    return place.folder / f"results/logs/town/train/{method}.seed{seed}.log"


def takes(log: str) -> list[tuple[str, float]]:
    """Return the GPUs that jobs took, and when, by their logs; their output on the terminal has no times."""
    took = re.findall(r"^(\S+ \S+) took (\S+)$", log, re.MULTILINE)
    return [(gpu, datetime.strptime(time, "%Y-%m-%d %H:%M:%S,%f").timestamp()) for time, gpu in took]


def hold(place: Workplace, method: str, seed: int) -> Hold:
    """Return the time for which the job that ended well had its GPU: until the last line of its log."""
    log = log_of(place, method, seed)
    ((gpu, took),) = takes(log.read_text())
    return Hold(gpu, took, log.stat().st_mtime)


@pytest.mark.full("eight trainings by real workflows; locks of GPUs are tested in tests/system")
@pytest.mark.parametrize("started", [2, 4])
def test_each_training_has_a_gpu(
    finished: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: int
) -> None:
    """With four at once it is not Snakemake that shares the GPUs out, and two wait; there, one dies as well."""
    place = finished.copy(tmp_path / "place")
    simulate(monkeypatch, tmp_path)
    script = place.folder / "workflow/scripts/train.py"
    script.write_text((DIES if started == 4 else "") + script.read_text())
    change = {"run": {"seeds": [0, 1]}, "training": {"accelerator": "auto"}}
    resources = ["--cores", "4", "--resources", f"gpu={started}"]
    run = place.run(*(target(*each) for each in RUNS), *resources, config=change)
    assert run.returncode == 0, run.stdout
    died = [Hold(gpu, took, (place.folder / "died").stat().st_mtime) for gpu, took in takes(run.stdout)]
    assert len(died) == (started == 4)  # Snakemake shows the logs of jobs that fail
    holds = sorted([*died, *(hold(place, *each) for each in RUNS)], key=lambda each: each.took)
    for gpu in (FIRST, SECOND):
        on_gpu = [each for each in holds if each.gpu == gpu]
        assert len(on_gpu) >= 2
        for one, following in pairwise(on_gpu):
            assert following.took > one.ended
            assert following.took < one.ended + LATE or started == 2  # there Snakemake starts the following
    assert (run.stdout.count("waiting for 1 of 2 GPUs") >= 2) == (started == 4)


@pytest.mark.full("real jobs; two processes are in the quick tier of tests/training")
def test_one_training_in_two_processes(finished: Workplace, tmp_path: Path) -> None:
    """The main process is killed after an epoch: the job fails with a sentence, and the next try goes on."""
    place = finished.copy(tmp_path / "place")
    with (place.folder / "src/mtlaerial/pipeline/worker.py").open("r+") as worker:
        text = worker.read()
        worker.seek(0)
        worker.write(text.replace("def main(", DIES + "\n\ndef main("))
    resources = ["--resources", "gpu=2", "--set-resources", "train:gpu=2"]
    run = place.run(target("equal", 0), *resources, "--forcerun", "train")
    assert run.returncode == 0, run.stdout
    assert (place.folder / "died").exists()
    assert len(re.findall(r",\d+ a\w+ process of this training: found .*sudden end", run.stdout)) == 1
    assert "going on after step 2 of 6" in log_of(place, "equal", 0).read_text()
    assert "Traceback" not in run.stdout
    folder = (place.folder / target("equal", 0)).parent
    assert load_cost(folder / "cost.json").device.startswith("2 x CPU")
    one, two = (pd.read_csv(root / "history.csv") for root in ((finished.folder / target("equal", 0)).parent, folder))
    assert two["step"].tolist() == one["step"].tolist()
    assert two["loss_height"].tolist() == pytest.approx(one["loss_height"].tolist(), rel=0.2)
