"""Early stopping by ``training.patience``: when a training ends, and what it leaves."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError
from safetensors import safe_open

from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError
from mtlaerial.runs.progress_file import load_progress, progress_path
from mtlaerial.runs.run import load_description, save_description
from mtlaerial.runs.text import describe_run
from mtlaerial.tiles.prepare import prepare_tile
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.early_stopping import is_exhausted
from mtlaerial.training.optimiser import learning_rate
from mtlaerial.training.train import train
from mtlaerial.training.validation import Validator
from support import tiny
from support.tiny import Folders
from support.trainings import FILES, Killed, assert_same_run, file_names, kill_after

PATIENT = {"epochs": 6, "epoch_patches": 2, "selection": "best", "patience": 2, "schedule": "warmup_cosine", "ema": 0.5}
STEPS = 6
"""An epoch has one."""


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that gives validations their scores, in order; they begin anew with each new validator."""

    def give(*scores: float) -> None:
        build = Validator.__init__

        def begun(self: Validator, *arguments: object) -> None:
            build(self, *arguments)  # type: ignore[arg-type]  # passed on
            vars(self)["scores"] = itertools.chain(scores)

        monkeypatch.setattr(Validator, "__init__", begun)
        monkeypatch.setattr(Validator, "__call__", lambda self, *arguments: {"score": next(self.scores)})

    return give


def test_a_training_ends_after_validations_without_a_better_score(
    trained: Callable[..., Path], scored: Callable[..., None], statistics: Statistics
) -> None:
    scored(0.3, 0.6, 0.5, 0.6, 0.9, 0.9)
    folder = trained(**PATIENT)
    save_description(folder, tiny.run_plan(**PATIENT), statistics)
    description = load_description(folder)
    assert (description.epoch, description.ended_early) == (2, 4)
    assert "weights of epoch 2 of 6 (ended early, after 4)" in describe_run(folder)
    history = pd.read_csv(folder / "history.csv")
    assert history["epoch"].tolist() == [1, 2, 3, 4]
    spec = tiny.training_spec(**PATIENT)
    rates = [learning_rate(spec, step - 1, STEPS) for step in history["step"]]
    assert history["learning_rate"].tolist() == pytest.approx(rates, rel=1e-4)
    last = load_progress(progress_path(folder))[-1]
    assert (last.event, last.step, last.steps, last.seconds_left) == ("end", 4, STEPS, 0.0)
    assert file_names(folder) == sorted([*FILES, "run.yaml"])
    before = (folder / "model.safetensors").stat().st_mtime_ns
    trained(**PATIENT)
    assert (folder / "model.safetensors").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "scores",
    [
        pytest.param(
            (0.1, 0.2, 0.1, 0.3, 0.1, 0.4), id="rising", marks=pytest.mark.full("trains; the other one is quick")
        ),
        pytest.param((0.1, 0.2, 0.3, 0.4, 0.3, 0.2), id="exhausted at the end"),
    ],
)
def test_a_training_with_all_its_epochs_is_not_said_to_have_ended_early(
    trained: Callable[..., Path], scored: Callable[..., None], scores: tuple[float, ...]
) -> None:
    scored(*scores)
    folder = trained(**PATIENT)
    assert len(pd.read_csv(folder / "history.csv")) == 6
    with safe_open(folder / "model.safetensors", framework="np") as file:
        assert "ended_early" not in json.loads(file.metadata()["made"])


@pytest.mark.full("trains for nine epochs")
def test_validations_are_counted_and_not_epochs(trained: Callable[..., Path], scored: Callable[..., None]) -> None:
    scored(0.6, 0.5, 0.4)
    folder = trained(**{**PATIENT, "epochs": 20, "validate_every": 3})
    assert pd.read_csv(folder / "history.csv")["epoch"].tolist()[-1] == 9


@pytest.mark.parametrize("epoch", [pytest.param(2, marks=pytest.mark.full("trains; the other one is quick")), 4])
def test_a_killed_training_ends_as_early_as_the_unbroken_one(
    trained: Callable[..., Path], scored: Callable[..., None], epoch: int
) -> None:
    scores = (0.3, 0.6, 0.5, 0.5)
    scored(*scores)
    whole = trained("whole", **PATIENT)
    with pytest.MonkeyPatch.context() as patch:
        kill_after(patch, epoch // 2)  # which counts two steps in an epoch
        with pytest.raises(Killed):
            trained("broken", **PATIENT)
    scored(*scores[epoch:])
    assert_same_run(trained("broken", **PATIENT), whole)


@pytest.mark.parametrize(
    ("freeze", "exhausted_after"),
    [
        ({}, 3),
        ({"encoder": 4}, 6),
        ({"encoder": 2, "heads": 3}, 5),
        ({"encoder": 1}, 3),
        ({"encoder": 3, "decoder": 20}, 5),  # never trained: nothing is to be waited for
    ],
)
def test_validations_before_the_last_thaw_are_not_counted(freeze: dict[str, int], exhausted_after: int) -> None:
    plan = tiny.run_plan(**{**PATIENT, "epochs": 20})
    model = tiny.model_spec(pretrained={"source": "run/", "parts": "all", "freeze": freeze})
    rows = [{"epoch": epoch, "val_score": 0.6 - 0.01 * epoch} for epoch in range(1, 21)]
    exhausted = [is_exhausted(plan.model_copy(update={"model": model}), rows[:number]) for number in range(1, 21)]
    assert exhausted.index(True) + 1 == exhausted_after


def test_patience_needs_validation(city: Dataset, tiles: Folders, statistics: Statistics, tmp_path: Path) -> None:
    plan = tiny.run_plan(("semantics",), **PATIENT)
    with pytest.raises(ConfigError, match=r"training\.patience: found 2 for a data set with no validation tiles; "):
        train(tiny.job(plan, statistics, tiles["train"], [], tmp_path / "run"))
    without = Dataset("city", tiny.city_spec(labels=None), city.root)
    prepare_tile(without, "city_3", tmp_path / "city_3")
    with pytest.raises(ConfigError, match=r"no validation tiles with truth of semantics"):
        train(tiny.job(plan, statistics, tiles["train"], [tmp_path / "city_3"], tmp_path / "run"))


def test_patience_needs_the_best_weights() -> None:
    with pytest.raises((ConfigError, ValidationError), match=r"selection: found last with patience 2; expected best"):
        tiny.training_spec(**{**PATIENT, "selection": "last"})
