"""The status of trainings from their files: weights, locks, saved states and progress; logs are only shown."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from mtlaerial.cli import app
from mtlaerial.config import ProjectConfig, load_project
from mtlaerial.errors import DataError
from mtlaerial.runs.progress_file import Event, ProgressRecord, failure_recorded, progress_path
from mtlaerial.runs.status import RunStatus, status_text, training_states
from support import tiny

HOLDS = """
import sys, time
from pathlib import Path
from mtlaerial.runs.lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("holding", flush=True)
    time.sleep(1000)
"""
METHOD = {"tasks": ["height"], "model": "tiny"}
LINE = "2026-01-31 12:00:00,123 training: 130/360 steps, 3.2 step/s, 01:15 left, 1,200 MB\n"
ERROR = "2026-01-31 12:00:00,123 tile.tif: found 3 bands; expected 4. Get it anew.\n"


@pytest.fixture
def config(tmp_path: Path) -> ProjectConfig:
    return load_project(written(tmp_path))


def written(folder: Path, **changes: object) -> Path:
    """Write a configuration of one run, whose results are beside it."""
    path = folder / "config.yaml"
    content = {
        "run": {"datasets": ["town"], "methods": ["equal"], "seeds": [0]},
        "results": str(folder / "results"),
        "datasets": {"town": {"spec": str(tiny.CONFIG / "datasets" / "city.yaml"), "root": "town"}},
        "models": {"tiny": tiny.MODEL},
        "methods": {"equal": METHOD},
    }
    path.write_text(yaml.safe_dump({**content, **changes}))
    return path


def run_of(config: ProjectConfig) -> Path:
    folder = config.results / "town" / "runs" / "equal" / "seed0"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_log(config: ProjectConfig, text: str, age: float = 0) -> None:
    log = config.results / "logs" / "town" / "train" / "equal.seed0.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(text)
    os.utime(log, (time.time() - age, time.time() - age))


def write_progress(config: ProjectConfig, event: Event, step: int, **fields: object) -> None:
    """Append a record of a training of 360 steps."""
    record = ProgressRecord(event=event, time=datetime.now(UTC), step=step, steps=360, **fields)
    with progress_path(run_of(config)).open("a", encoding="utf-8") as file:
        file.write(record.model_dump_json() + "\n")


def only(config: ProjectConfig) -> RunStatus:
    (run,) = training_states(config)
    assert run.name == "town/equal/seed0"
    return run


@pytest.mark.parametrize("state", ["done", "interrupted", "waiting"])
def test_a_training_worse_than_a_constant_prediction_is_shown_as_such(config: ProjectConfig, state: str) -> None:
    write_progress(config, "end", 360, warning="Worse than a constant prediction: by far.")
    files = {"done": "model.safetensors", "interrupted": "model.resume.pt"}
    if state in files:
        (run_of(config) / files[state]).touch()
    text = status_text([only(config)], 0)
    assert ("    Warning: Worse than a constant prediction: by far." in text.splitlines()) == (state != "waiting")


@pytest.fixture
def held(config: ProjectConfig) -> Iterator[None]:
    """Another process trains the run."""
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(run_of(config))], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"holding\n"
        yield
        holder.kill()


@pytest.mark.usefixtures("held")
def test_running(config: ProjectConfig) -> None:
    """Whatever other files there are, and without changing them."""
    (run_of(config) / "model.resume.pt").touch()
    write_progress(config, "resume", 90)
    write_progress(config, "step", 120, seconds_left=75.2)
    write_log(config, LINE, age=200)
    before = sorted(config.results.rglob("*"))
    run = only(config)
    assert (run.state, run.progress) == ("running", "120/360 steps, 01:15 left")
    assert run.age == pytest.approx(200, abs=30)
    assert sorted(config.results.rglob("*")) == before
    assert "town/equal/seed0  running      120/360 steps, 01:15 left           log 3 min ago" in status_text([run], 0)


@pytest.mark.usefixtures("held")
def test_a_running_training_without_a_progress_file(config: ProjectConfig) -> None:
    write_log(config, LINE)
    assert (only(config).state, only(config).progress) == ("running", "")


@pytest.mark.parametrize(
    ("files", "events", "state", "progress"),
    [
        ([], [], "waiting", ""),
        ([], [("begin", 0)], "waiting", ""),
        ([], [("begin", 0), ("step", 120)], "waiting", ""),
        ([], [("step", 120), ("error", 120)], "failed", "120/360 steps"),
        ([], [("error", 120), ("begin", 0)], "waiting", ""),
        (["model.resume.pt"], [("step", 120), ("error", 120)], "interrupted", "120/360 steps"),
        (["model.previous.resume.pt"], [], "interrupted", ""),
        (["model.resume.pt"], [("step", 120), ("state_saved", 131)], "interrupted", "131/360 steps"),
        (["model.safetensors"], [("step", 359), ("end", 360)], "done", ""),
        (["model.safetensors"], [], "done", ""),
        (["model.safetensors", "model.resume.pt"], [("error", 360)], "done", ""),
    ],
)
def test_nobody_trains(
    config: ProjectConfig, files: list[str], events: list[tuple[Event, int]], state: str, progress: str
) -> None:
    folder = run_of(config)
    folder.with_name(".seed0.lock").touch()  # stays when its holder ends
    for name in files:
        (folder / name).touch()
    for event, step in events:
        write_progress(config, event, step)
    run = only(config)
    assert (run.state, run.progress) == (state, progress)


def test_logs_are_not_parsed(config: ProjectConfig) -> None:
    write_log(config, LINE + ERROR)
    run = only(config)
    assert (run.state, run.progress) == ("waiting", "")
    assert run.lines == tuple((LINE + ERROR).splitlines())


def test_an_error_before_the_first_step_is_a_failure(config: ProjectConfig) -> None:
    with pytest.raises(DataError), failure_recorded(run_of(config)):
        raise DataError("tile.tif", "3 bands", "4")
    assert (only(config).state, only(config).progress) == ("failed", "")


def test_states_in_a_folder_of_their_own(tmp_path: Path) -> None:
    """Files there do not name their run; the progress file records whether this run has a state."""
    config = load_project(written(tmp_path, resume=str(tmp_path / "states")))
    (tmp_path / "states").mkdir()
    state = tmp_path / "states" / "0123456789abcdef.resume.pt"
    state.touch()
    write_progress(config, "step", 120)
    assert only(config).state == "waiting"
    write_progress(config, "step", 140, saved_step=130)
    assert (only(config).state, only(config).progress) == ("interrupted", "140/360 steps")
    state.unlink()
    assert only(config).state == "waiting"


def test_every_training_of_the_selection(tmp_path: Path) -> None:
    methods = {"equal": METHOD, "again": {"trained_as": "equal"}, "height": METHOD}
    chosen = {"datasets": ["town"], "methods": ["again", "height"], "seeds": [2, 1]}
    config = load_project(written(tmp_path, run=chosen, methods=methods))
    named = ["town/equal/seed2", "town/equal/seed1", "town/height/seed2", "town/height/seed1"]
    assert [run.name for run in training_states(config)] == named


def test_methods_that_are_left_out_are_named(tmp_path: Path) -> None:
    methods = {"equal": {**METHOD, "tasks": ["semantics", "height"]}, "height": METHOD}
    chosen = {"datasets": ["town"], "methods": ["equal", "height"], "seeds": [0]}
    spec = tiny.city_spec(labels=None).model_dump(mode="json")
    (tmp_path / "heights.yaml").write_text(yaml.safe_dump(spec))
    datasets = {"town": {"spec": str(tmp_path / "heights.yaml"), "root": "town"}}
    path = written(tmp_path, run=chosen, methods=methods, datasets=datasets)
    done = CliRunner().invoke(app, ["status", "--config", str(path)])
    assert done.stdout.splitlines()[0].split() == ["town/height/seed0", "waiting"]
    assert "has no ground truth of semantics and it would repeat height: equal." in done.stdout


def test_lines_of_the_logs(config: ProjectConfig) -> None:
    """As many as asked for, at least the last of a failed run, none of a finished one."""
    failed = RunStatus("a", "failed", "", 10_000, ("first", "second", "third"))
    waiting = RunStatus("bb", "waiting", "", None, ())
    done = RunStatus("c", "done", "", 1, ("line",))
    text = status_text([failed, waiting, done], 0).splitlines()
    assert [line.split() for line in text[:4]] == [
        ["a", "failed", "log", "3", "h", "ago"], ["third"], ["bb", "waiting"], ["c", "done"],
    ]  # fmt: skip
    assert text[-1] == "Trainings: 1 failed, 1 waiting, 1 done"
    assert status_text([failed, done], 2).splitlines()[1:3] == ["    second", "    third"]
    elsewhere = RunStatus("a", "interrupted", "", 20, ("line",))
    assert "may not be seen from this machine" in status_text([elsewhere], 0)


def test_the_command_does_not_wait_for_torch(tmp_path: Path) -> None:
    code = "import sys; from mtlaerial.cli import app; app(sys.argv[1:], standalone_mode=False); print(*sys.modules)"
    command = [sys.executable, "-c", code, "status", "--config", str(written(tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("town/equal/seed0  waiting\n\nTrainings: 1 waiting\n")
    assert not {"torch", "pandas", "geopandas"}.intersection(done.stdout.split())


def test_weights_of_another_run_are_shown_as_damaged(config: ProjectConfig, run_folder: Path) -> None:
    for name in ("run.yaml", "model.safetensors"):
        (run_of(config) / name).write_bytes((run_folder / name).read_bytes())
    assert only(config).state == "done"
    (run_of(config) / "model.safetensors").write_bytes(b"others")
    assert only(config).state == "damaged"
    (run_of(config) / "run.yaml").unlink()  # in the workflow another rule is still to write it
    assert only(config).state == "done"
