"""Trainings with a dashboard: the same run as without one, a complete history, and failures of the server."""

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import torch

from mtlaerial.config import DashboardSpec
from mtlaerial.dashboard.viewer import Viewer
from mtlaerial.pipeline.run_training import run_training
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.runs.plan import RunPlan
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.process_group import Group
from mtlaerial.training.train_step import TrainStep, Update
from mtlaerial.training.validation import Validator
from support import tiny
from support.logs import messages
from support.tiny import Folders
from support.trainings import RICH, Killed, assert_same_run, file_names, kill_after
from support.visdoms import Double, StartedVisdom, Visdom, free_port, token_file, visdom
from support.waiting import eventually

PLAN: dict[str, Any] = {**RICH, "epoch_patches": 8, "log_every": 1}
STEPS = 16
ENVIRONMENT = "city_equal_seed0"
Run = Callable[..., Path]
OTHER_STEP = pytest.mark.full("a server of its own; another step is in the quick tier")


@pytest.fixture
def run(tiles: Folders, statistics: Statistics, tmp_path: Path) -> Run:
    """Return a function that trains in a folder, shown at a URL or nowhere, and returns the folder."""

    def trained(name: str, url: str = "", plan: RunPlan | None = None) -> Path:
        dashboard = DashboardSpec(url=url, seconds=0.05, samples=2) if url else None
        tiles_of = tiles["train"], tiles["val"]
        run_training(
            tiny.job(plan or tiny.run_plan(**PLAN), statistics, *tiles_of, tmp_path / name, dashboard=dashboard)
        )
        return tmp_path / name

    return trained


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, happen: Callable[[], object]) -> list[int]:
    """Let something happen before a step, counted from 1; return the list of steps that are done."""
    update, done = TrainStep.__call__, []

    def stepped(self: TrainStep, number: int, measure_conflict: bool = False) -> Update:
        if number + 1 == step:
            happen()
        result = update(self, number, measure_conflict)
        done.append(number + 1)
        return result

    monkeypatch.setattr(TrainStep, "__call__", stepped)
    return done


@contextmanager
def written_token(url: str, token: str) -> Iterator[None]:
    """Write the token of a URL in the block."""
    path = token_file(int(url.rpartition(":")[2]))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(token)
    yield
    path.unlink()


@pytest.mark.parametrize(
    "behaviour",
    [
        "well",
        pytest.param("absent", marks=pytest.mark.full("like well, for a training")),
        pytest.param("hang", marks=pytest.mark.full("waits")),
        pytest.param("error", marks=pytest.mark.full("like absent")),
    ],
)
def test_a_training_with_a_dashboard_is_the_same_to_the_byte(
    run: Run, caplog: pytest.LogCaptureFixture, behaviour: str
) -> None:
    without_dashboard = run("unseen")
    server = Double(behaviour=behaviour) if behaviour != "absent" else None
    url = server.url if server else f"http://127.0.0.1:{free_port()}"
    with caplog.at_level(logging.DEBUG), written_token(url, "a-secret-token"):
        with_dashboard = run("seen", url)
    if server:
        server.end()
        assert server.credentials == {"Bearer a-secret-token"}
    assert "a-secret-token" not in caplog.text
    assert_same_run(without_dashboard, with_dashboard)
    assert file_names(without_dashboard) == file_names(with_dashboard)
    warnings = [text for text in messages(caplog, logging.WARNING) if text.startswith(f"dashboard: {url} ")]
    assert len(warnings) == (behaviour != "well")


@pytest.mark.full("trains beside a server")
def test_every_window_has_all_of_the_history(run: Run) -> None:
    server = Double()
    history = pd.read_csv(run("run", server.url) / "history.csv")
    server.end()
    names = ["training", "loss_semantics", "loss_height", "val_OA", "val_MAE", "cosine_features_semantics_height",
             "cosine_parameters_semantics_height", "weight_semantics", "learning_rate", "patches"]  # fmt: skip
    assert list(server.windows) == names
    for window, column, scale in (("loss_height", "loss_height", 1), ("val_OA", "val_OA", 100)):
        [line, *_] = server.windows[window]["data"]
        rows = history[["epoch", column]].dropna()
        assert line["x"] == pytest.approx(rows["epoch"].tolist(), rel=1e-5)
        assert line["y"] == pytest.approx((scale * rows[column]).tolist(), rel=1e-5)
    assert "epoch 4.00 of 4, step 16 of 16" in server.windows["training"]["data"][0]["content"]
    assert "(generated data)" in server.windows["training"]["data"][0]["content"]


@pytest.mark.full("trains; the end itself is in the quick tier")
def test_an_early_end_is_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Double()
    monkeypatch.setattr(Validator, "__call__", lambda self, *arguments: {"score": 0.5})
    run("run", server.url, tiny.run_plan(selection="best", patience=1, epochs=9, epoch_patches=2))
    server.end()
    shown = server.windows["training"]["data"][0]["content"]
    assert "epoch 2.00 of 9" in shown
    assert "ended early; validations without a better score: 1" in shown


@pytest.mark.quick_cases(1, "a training a case")
@pytest.mark.parametrize("task", ["semantics", "height"])
def test_a_training_of_one_task_has_its_windows_alone(run: Run, task: str) -> None:
    server = Double()
    run("run", server.url, tiny.run_plan((task,), **PLAN))
    server.end()
    score = {"semantics": "val_OA", "height": "val_MAE"}[task]
    assert list(server.windows) == ["training", f"loss_{task}", score, "learning_rate", "patches"]


@pytest.mark.full("trains beside a server")
def test_without_memory_for_patches_the_training_goes_on(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    unseen, server = run("unseen"), Double()

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr("mtlaerial.dashboard.sample_patches.predict", full)
    assert_same_run(unseen, run("seen", server.url))
    server.end()
    assert "patches" not in server.windows
    assert messages(caplog, logging.WARNING).count("dashboard: no more patches (OutOfMemoryError: out of memory)") == 1


@pytest.mark.parametrize(("rank", "watchers"), [(0, 1), (1, 0)])
def test_only_the_main_process_shows_the_training(
    rank: int, watchers: int, tiles: Folders, statistics: Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[object] = []
    monkeypatch.setattr("mtlaerial.pipeline.run_training.train", lambda job, *watcher: given.extend(watcher))
    monkeypatch.setattr(Group, "current", lambda: Group(rank, 2))
    dashboard = DashboardSpec(url=f"http://127.0.0.1:{free_port()}")
    run_training(tiny.job(tiny.run_plan(), statistics, tiles["train"], dashboard=dashboard))
    assert len(given) == watchers


@pytest.mark.full("trains beside a server")
def test_the_network_is_not_left_in_evaluation_mode(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    update, modes, looked = TrainStep.__call__, [], []
    look = Viewer.look

    def seen(self: Viewer, network: Callable[[], MapNetwork], device: torch.device, epoch: int) -> None:
        looked.append(epoch)
        look(self, network, device, epoch)

    def watched(self: TrainStep, number: int, measure_conflict: bool = False) -> Update:
        modes.append(self.network.training)
        return update(self, number, measure_conflict)

    monkeypatch.setattr(Viewer, "look", seen)
    monkeypatch.setattr(TrainStep, "__call__", watched)
    run("run", f"http://127.0.0.1:{free_port()}")
    assert looked == [1, 2, 3, 4]
    assert modes == [True] * STEPS


@pytest.mark.full("trains beside a server; the sender is tested in the quick tier")
@pytest.mark.parametrize("step", [STEPS // 2, *(pytest.param(step, marks=OTHER_STEP) for step in (1, STEPS))])
def test_a_server_that_is_killed_ends_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, step: int
) -> None:
    unseen = run("unseen")
    with visdom(tmp_path / "saved") as server, caplog.at_level(logging.INFO):
        done = at_step(monkeypatch, step, server.end)
        assert_same_run(unseen, run("seen", server.url))
    assert done == list(range(1, STEPS + 1))
    assert sum(f"{server.url} does not show this training" in text for text in messages(caplog, logging.WARNING)) == 1


@pytest.mark.full("a server of its own; the double that hangs is in the quick tier")
def test_steps_go_on_while_the_server_hangs(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    unseen = run("unseen")
    with visdom(tmp_path / "saved") as server, caplog.at_level(logging.INFO):
        done = at_step(monkeypatch, STEPS // 2, lambda: server.process.send_signal(signal.SIGSTOP))
        assert_same_run(unseen, run("seen", server.url))
        assert psutil.Process(server.process.pid).status() == psutil.STATUS_STOPPED
    assert done == list(range(1, STEPS + 1))
    assert sum(f"{server.url} does not show this training" in text for text in messages(caplog, logging.WARNING)) == 1


@pytest.mark.full("two servers of its own")
def test_a_server_that_returns_shows_all_of_it(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with visdom(tmp_path / "saved") as first:

        def restart() -> None:
            eventually(lambda: first.window(ENVIRONMENT, "loss_height"))
            first.end()
            second.append(StartedVisdom(tmp_path / "saved", first.port))

        second: list[StartedVisdom] = []
        at_step(monkeypatch, STEPS // 2, restart)
        history = pd.read_csv(run("run", first.url) / "history.csv")
        shown = second[0].window(ENVIRONMENT, "loss_height")["content"]["data"][0]["x"]
        second[0].end()
    assert shown == pytest.approx(history["epoch"].tolist(), rel=1e-5)


@pytest.mark.full("trains twice beside a server")
def test_a_resumed_training_has_no_curve_twice(
    run: Run, running_visdom: Visdom, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, environment = tiny.run_plan(**PLAN, seed=7), "city_equal_seed7"
    with monkeypatch.context() as patch:
        kill_after(patch, 2)
        with pytest.raises(Killed):
            run("run", running_visdom.url, plan)
    half = running_visdom.window(environment, "loss_height")["content"]["data"]
    history = pd.read_csv(run("run", running_visdom.url, plan) / "history.csv")
    whole = running_visdom.window(environment, "loss_height")["content"]["data"]
    assert len(half) == len(whole) == 1
    assert half[0]["x"] == whole[0]["x"][: len(half[0]["x"])]
    assert 0 < len(half[0]["x"]) < STEPS
    assert whole[0]["x"] == pytest.approx(history["epoch"].tolist(), rel=1e-5)
    assert (running_visdom.saved / f"{environment}.json").exists()
