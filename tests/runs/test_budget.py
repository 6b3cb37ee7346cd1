"""Budgets: from minutes and a rate to a number of updates, and to the described run."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from mtlaerial.errors import ConfigError, DataError, UserError
from mtlaerial.runs.budget import within_budget
from mtlaerial.runs.ensemble import make_ensemble
from mtlaerial.runs.finished import plan_difference
from mtlaerial.runs.progress_file import last_record
from mtlaerial.runs.run import load_description, save_description
from mtlaerial.runs.text import describe_run
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.train import identity, train
from support import tiny
from support.rates import ELSEWHERE, budget_plan, rate_file, rate_of
from support.tiny import Folders


def updates_of(folder: Path, seconds: float, minutes: float, rate: Any = None, **training: Any) -> int:
    """Return the updates that a budget allows."""
    plan = budget_plan(minutes, **training)
    decided, budget = within_budget(plan, rate_file(folder / "rate.json", plan, seconds, **rate or {}))
    assert budget
    assert decided.training.steps == budget.updates
    assert decided.training.epochs == plan.training.epochs
    return budget.updates


def test_updates_are_those_that_fit_into_the_minutes_of_all_threads(tmp_path: Path) -> None:
    # 60 s / (0.7 s * 2 threads) = 42.9 updates, of which 4 epochs of 10 are whole
    assert updates_of(tmp_path, 0.7, 1, epochs=4, threads=2) == 40
    assert updates_of(tmp_path, 0.7, 1, epochs=1, threads=2) == 42
    assert updates_of(tmp_path, 0.7, 1, epochs=1, threads=1) == 85


def test_a_whole_number_of_updates_is_spent_wholly(tmp_path: Path) -> None:
    assert 0.7 * 60 / 0.56 < 75  # by rounding
    assert updates_of(tmp_path, 0.56, 0.7, epochs=1) == 75


def test_minutes_of_a_gpu_are_not_multiplied_by_threads_of_the_cpu(tmp_path: Path) -> None:
    machine = ELSEWHERE.model_copy(update={"gpu": "H200"})
    rate = {"device": "cuda", "machine": machine}
    assert updates_of(tmp_path, 0.5, 1, rate, epochs=1, threads=4) == 120


def test_a_plan_within_a_budget_is_the_plan_of_so_many_updates(tmp_path: Path) -> None:
    plan = budget_plan(1)
    decided, budget = within_budget(plan, rate_file(tmp_path / "rate.json", plan, 10))
    assert decided == tiny.run_plan(epoch_patches=4)  # 6 updates, in 3 epochs of 2 updates of 2 patches
    assert budget
    assert budget.on(decided) == decided


def test_without_a_budget_no_rate_is_read() -> None:
    plan = tiny.run_plan()
    assert within_budget(plan, None) == (plan, None)
    assert "budget" not in plan.model_dump(mode="json")["training"]  # fingerprints are those of earlier versions


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (40, ["training.budget.minutes: found 1, enough for 1 updates of 40 core-seconds", "at least 2", "3 epochs"]),
        (100, ["enough for 0 updates", "at least 5,"]),
    ],
)
def test_a_budget_for_less_than_an_update_in_each_epoch_is_refused(
    seconds: float, words: list[str], tmp_path: Path
) -> None:
    plan = budget_plan(1)
    with pytest.raises(ConfigError) as error:
        within_budget(plan, rate_file(tmp_path / "rate.json", plan, seconds))
    assert all(word in str(error.value) for word in words), error.value


def test_a_rate_of_another_recipe_is_refused(tmp_path: Path) -> None:
    path = rate_file(tmp_path / "rate.json", budget_plan(patch=64, side_by_side=2), 1)
    with pytest.raises(DataError) as error:
        within_budget(budget_plan(), path)
    assert "training.patch 64 instead of 32, training.budget.side_by_side 2 instead of 1" in str(error.value)
    assert "rate of equal" in str(error.value)


def test_keys_that_change_no_time_need_no_other_rate(tmp_path: Path) -> None:
    path = rate_file(tmp_path / "rate.json", budget_plan(9, learning_rate=1.0, epochs=5, selection="best"), 1)
    decided, _ = within_budget(budget_plan(1), path)
    assert decided.training.steps == 60


def test_a_rate_from_before_a_key_holds_for_its_default(tmp_path: Path) -> None:
    plan = budget_plan()
    path = rate_file(tmp_path / "rate.json", plan, 1)
    content = json.loads(path.read_text())
    del content["recipe"]["training"]["accumulate"]
    path.write_text(json.dumps(content))
    assert within_budget(plan, path)[0].training.steps == 60
    with pytest.raises(DataError, match=r"training.accumulate 1 instead of 2"):
        within_budget(budget_plan(accumulate=2), path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "rate.json: found no file; expected the rate of equal"),
        ("{", "found a damaged file"),
        ("[]", "found another file"),
        ('{"format": 99}', "format 99, which a newer mtlaerial wrote"),
        ("{}", "machine"),
        ({"recipe": {"training": {"patch": "large"}}}, "key recipe, key tasks: found nothing"),
        ({"seconds": 0}, "seconds"),
        ({"seconds": float("nan")}, "seconds"),
    ],
)
def test_a_file_that_is_no_rate_is_one_sentence(content: Any, words: str, tmp_path: Path) -> None:
    plan, path = budget_plan(), tmp_path / "rate.json"
    if isinstance(content, dict):
        content = json.dumps(json.loads(rate_of(plan, 1).model_dump_json()) | content)
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError) as error:
        within_budget(plan, path)
    assert words in str(error.value)
    assert "rate.json" in str(error.value)


def test_a_training_whose_updates_are_undecided_is_refused(statistics: Statistics, tiles: Folders) -> None:
    with pytest.raises(ConfigError, match=r"training.budget.minutes: found 2 minutes for equal, whose rate is not"):
        train(tiny.job(budget_plan(2), statistics, tiles["train"]))


@pytest.fixture(scope="module")
def spent(statistics: Statistics, tiles: Folders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run within a budget, measured on another machine; its plan is that of ``run_folder``."""
    folder = tmp_path_factory.mktemp("spent")
    planned = budget_plan(1)
    path = rate_file(folder / "rate.json", planned, 9.9, machine=ELSEWHERE, warning="It was busy")
    plan, budget = within_budget(planned, path)
    train(tiny.job(plan, statistics, tiles["train"], tiles["val"], folder, budget=budget))
    save_description(folder, planned, statistics)
    return folder


def test_a_run_within_a_budget_is_the_run_of_so_many_updates(
    spent: Path, run_folder: Path, statistics: Statistics, tiles: Folders
) -> None:
    weights, expected = (load_file(folder / "model.safetensors") for folder in (spent, run_folder))
    assert all(bool((weights[name] == expected[name]).all()) for name in expected)
    assert (spent / "history.csv").read_bytes() == (run_folder / "history.csv").read_bytes()
    first, second = load_description(spent), load_description(run_folder)
    assert (first.plan, first.identity) == (second.plan, second.identity)
    assert second.budget is None
    assert " budget:" not in (run_folder / "run.yaml").read_text()
    assert "\nbudget:" not in (run_folder / "run.yaml").read_text()
    job = tiny.job(first.plan, statistics, tiles["train"], tiles["val"], spent, budget=first.budget)
    assert identity(job) == second.identity
    assert last_record(spent).steps == 6  # type: ignore[union-attr]


def test_the_description_says_what_the_budget_bought_and_where_it_was_measured(spent: Path) -> None:
    run = load_description(spent)
    assert run.budget
    assert (run.budget.minutes, run.budget.updates, run.budget.rate.seconds) == (1, 6, 9.9)
    text = describe_run(spent)
    assert "budget           1 core-minutes: 6 updates, 9.9 s an update on 1 thread" in text
    assert "on Other processor, torch 1.0. It was busy. The rate was measured on another machine" in text


def test_the_description_of_an_ensemble_says_what_its_members_budgets_bought(
    spent: Path, run_folder: Path, tmp_path: Path
) -> None:
    make_ensemble([run_folder, spent], tmp_path / "both")
    _, without, within, budget, *_ = describe_run(tmp_path / "both").splitlines()
    assert [line.split()[0] for line in (without, within, budget)] == ["member", "member", "budget"]
    assert "1 core-minutes: 6 updates, 9.9 s an update on 1 thread" in budget


def test_a_rate_of_another_machine_is_a_warning_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plan = budget_plan(1)
    _, budget = within_budget(plan, rate_file(tmp_path / "rate.json", plan, 1, machine=ELSEWHERE))
    assert budget
    with caplog.at_level(logging.WARNING):
        assert not budget.trained_on(ELSEWHERE.model_copy(update={"cores": 2})).text.endswith("budget")
        assert not caplog.text
        budget.trained_on(ELSEWHERE.model_copy(update={"torch": "2.0"}))
    assert "measured on another machine than trained (Other processor, torch 2.0)" in caplog.text


def test_weights_of_a_training_without_a_budget_are_not_described_with_one(
    run_folder: Path, statistics: Statistics
) -> None:
    with pytest.raises(DataError, match=r"weights of a training without a budget; expected those of .*minutes 1"):
        save_description(run_folder, budget_plan(1), statistics)


def test_another_number_of_updates_is_another_run(spent: Path, tmp_path: Path) -> None:
    plan = budget_plan(2)
    decided, _ = within_budget(plan, rate_file(tmp_path / "rate.json", plan, 9.9))
    assert plan_difference(spent, decided) == "training.epoch_patches 4 instead of 8"
