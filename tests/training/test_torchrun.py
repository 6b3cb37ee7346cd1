"""``torchrun -m mtlaerial train``: two processes train one run, and one of them reports errors."""

import subprocess
import sys
import time
from pathlib import Path
from shutil import copytree
from typing import NamedTuple

import pandas as pd
import pytest
import yaml
from safetensors.torch import load_file

from mtlaerial.datasets.catalog import Dataset
from mtlaerial.runs.progress_file import load_progress, progress_path
from mtlaerial.runs.run import load_description
from support import tiny
from support.paths import environment

CLI = ["-m", "mtlaerial"]
CHANGED = ["-m", "support.one_of_two"]
SOON = 240.0
"""Seconds, most of which two interpreters take to begin on a busy machine; torch itself would wait for 30 minutes."""


class Place(NamedTuple):
    """A data set, and a configuration to train on it."""

    root: Path
    config: Path
    spec: Path


class Outcome(NamedTuple):
    code: int
    text: str
    """All that was written to the terminal."""


def train(place: Place, out: Path, program: list[str] = CLI, processes: int = 2) -> Outcome:
    """Train in so many processes."""
    several = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    launcher = [*several, *program] if processes > 1 else program
    options = ["--root", str(place.root), "--out", str(out), "--config", str(place.config)]
    done = subprocess.run(
        [sys.executable, *launcher, "train", str(place.spec), *options],
        env=environment(OMP_NUM_THREADS="1"), capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout + done.stderr)


def errors(outcome: Outcome) -> list[str]:
    """Return our messages; the one traceback that there may be is torchrun's, and has no message of the training."""
    assert outcome.code != 0
    assert outcome.text.count("Traceback (most recent call last)") == 1
    return [line for line in outcome.text.splitlines() if line.startswith("Error: ")]


@pytest.fixture(scope="module")
def place(city: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Two training tiles, since both processes shall draw patches from both."""
    folder = tmp_path_factory.mktemp("torchrun")
    spec, config = folder / "city.yaml", folder / "config.yaml"
    described = tiny.city_spec(splits={"train": ["city_1", "city_2"]})
    spec.write_text(yaml.safe_dump(described.model_dump(mode="json", exclude_none=True)), encoding="utf-8")
    content = {
        "run": {"datasets": ["city"], "methods": ["equal"], "seeds": [0]},
        "datasets": {"city": {"spec": str(spec), "root": str(city.root)}},
        "models": {"tiny": {**tiny.MODEL, "dropout": 0.0}},
        "methods": {"equal": {"tasks": ["semantics", "height"], "model": "tiny"}},
        "training": {**tiny.TRAINING, "epochs": 2, "epoch_patches": 16, "batch": 4, "log_every": 1, "ema": 0.7},
    }
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    return Place(city.root, config, spec)


@pytest.mark.full("two processes, each with its own torch")
def test_two_processes_train_as_one(place: Place, tmp_path: Path) -> None:
    for processes in (1, 2):
        done = train(place, tmp_path / str(processes), [*CHANGED, "exact"], processes)
        assert done.code == 0, done.text
        assert done.text.count("Trained run in") == 1
        assert load_description(tmp_path / str(processes)).epoch == 2
        records = load_progress(progress_path(tmp_path / str(processes)))
        assert [record.event for record in records if record.event in ("begin", "end")] == ["begin", "end"]
        assert done.text.count("preparing: 2/2") == done.text.count("training: 8/8") == 1
    alone, together = (load_file(tmp_path / str(number) / "model.safetensors") for number in (1, 2))
    assert alone.keys() == together.keys()
    for name, tensor in alone.items():
        difference = (tensor - together[name]).double().norm()
        assert difference <= 1e-5 * tensor.double().norm(), name
    rows = [pd.read_csv(tmp_path / str(number) / "history.csv") for number in (1, 2)]
    assert rows[0].to_numpy() == pytest.approx(rows[1].to_numpy(), rel=1e-4, nan_ok=True)


@pytest.mark.full("torchrun; errors of another process are in the quick tier")
def test_damaged_data_are_said_once(place: Place, tmp_path: Path) -> None:
    root = tmp_path / "data"
    copytree(place.root, root)
    (root / "height" / "city_2.tif").write_bytes(b"II*\0")
    begun = time.monotonic()
    done = train(Place(root, place.config, place.spec), tmp_path / "run")
    assert time.monotonic() - begun < SOON
    assert len(errors(done)) == 1
    assert done.text.count("city_2: ") == 1


@pytest.mark.full("torchrun; the error itself is in the quick tier")
def test_a_batch_that_cannot_be_shared_is_refused_before_the_work(place: Place, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    content = yaml.safe_load(place.config.read_text(encoding="utf-8"))
    config.write_text(yaml.safe_dump({**content, "training": {**content["training"], "batch": 3}}), encoding="utf-8")
    done = train(place._replace(config=config), tmp_path / "run")
    assert [line.split(": ")[1] for line in errors(done)] == ["training.batch"]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        pytest.param(
            "raise",
            "tile.tif: found a damaged file",
            marks=pytest.mark.full("torchrun; test_launch has it"),
        ),
        pytest.param("kill", "sudden end", marks=pytest.mark.full("torchrun")),
    ],
)
def test_the_end_of_another_process_ends_all(place: Place, tmp_path: Path, fault: str, message: str) -> None:
    begun = time.monotonic()
    done = train(place, tmp_path / "run", [*CHANGED, fault])
    assert time.monotonic() - begun < SOON
    assert len(errors(done)) == 1
    assert message in errors(done)[0]
    assert not (tmp_path / "run" / "model.safetensors").exists()
