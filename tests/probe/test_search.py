"""The probe: trials, the proposed settings, and a probe of a tiny network."""

import json
from pathlib import Path

import pytest
import torch
import yaml
from typer.testing import CliRunner

from mtlaerial.cli import app
from mtlaerial.config import TrainingSpec
from mtlaerial.errors import ConfigError
from mtlaerial.probe import Probed, Settings, Trial, planned, search, trial
from mtlaerial.probe.table import probed_text
from mtlaerial.probe.throughput import Throughput, divisions, measure_throughput
from support import tiny

PLAIN = Settings(precision="32-true", threads=2)
SAVING = PLAIN.model_copy(update={"checkpointing": True})
COMPILED = PLAIN.model_copy(update={"compile": True})
HALF = Settings(precision="bf16-mixed", threads=2)


def taken(settings: Settings, seconds: float, memory_mb: float = 100, first: float | None = None) -> Trial:
    return Trial(settings=settings, seconds=seconds, first=seconds if first is None else first, memory_mb=memory_mb)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a configuration of a tiny network."""
    data = yaml.safe_load((tiny.CONFIG / "config.yaml").read_text())
    data["models"] = {name: {"name": "d3net", **tiny.MODEL} for name in data["models"]}
    data["training"] = {**tiny.TRAINING, "epochs": 1, "epoch_patches": 100}
    for method in data["methods"].values():
        method.pop("overrides", None)
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


def test_threads_are_doubled_up_to_all_cores() -> None:
    assert [search.thread_counts(cores) for cores in (1, 2, 6, 8)] == [(1,), (1, 2), (1, 2, 4, 6), (1, 2, 4, 8)]


def test_each_precision_goes_on_with_its_fastest_settings() -> None:
    one, first = HALF.model_copy(update={"threads": 1}), PLAIN.model_copy(update={"channels_last": False})
    trials = [taken(PLAIN, 2), taken(HALF, 3), taken(one, 1), taken(first, 1.5)]
    settings = list(search.further(trials, compile=True))
    assert settings == [each.model_copy(update={"compile": True}) for each in (first, one)]


def test_compiling_is_proposed_only_where_it_pays_off() -> None:
    trials = [taken(PLAIN, 1.0, first=1.5), taken(COMPILED, 0.5, first=61.5)]
    assert search.pays_off_after(trials[1], trials) == 121
    assert search.best(trials, 120).settings == PLAIN
    assert search.best(trials, 122).settings == COMPILED
    assert search.pays_off_after(taken(COMPILED, 1.0, first=61.0), trials) is None


def test_memory_decides_among_the_equally_fast() -> None:
    assert search.best([taken(PLAIN, 1.0, 300), taken(SAVING, 1.02, 200)], 1000).settings == SAVING
    assert search.best([taken(PLAIN, 1.0, 300), taken(SAVING, 1.05, 200)], 1000).settings == PLAIN
    assert search.best([taken(PLAIN, 1.0, 300), taken(SAVING, 1.02, 290)], 1000).settings == PLAIN
    # Other digits for the same speed are no bargain.
    assert search.best([taken(PLAIN, 1.0, 300), taken(HALF, 1.01, 200)], 1000).settings == PLAIN


def test_cores_are_filled_by_many_trainings_of_few_threads_or_few_of_many() -> None:
    assert list(divisions(8, search.thread_counts(8))) == [(8, 1), (4, 2), (2, 4)]
    assert list(divisions(6, search.thread_counts(6))) == [(6, 1), (3, 2)]
    assert list(divisions(1, search.thread_counts(1))) == []


def probed(alone: Trial, *side_by_side: Throughput) -> Probed:
    values = {"device": "cpu", "patch": 32, "batch": 2, "steps": 9, "trials": (alone,), "proposed": alone.settings}
    return Probed(**values, side_by_side=side_by_side)


def together(trainings: int, threads: int, seconds: float, failed: str = "") -> Throughput:
    settings = PLAIN.model_copy(update={"threads": threads})
    return Throughput(settings=settings, trainings=trainings, seconds=seconds, memory_mb=1800, failed=failed)


def test_trainings_side_by_side_are_proposed_where_all_together_make_more_updates() -> None:
    alone = taken(PLAIN, 1.0)
    both = probed(alone, together(2, 1, 1.2))
    assert both.several == both.side_by_side[0]
    text = probed_text(both)
    assert "  2 of 1 thread: 1.67, 1,800 MB\n  1 of 2 threads: 1\n" in text
    assert "Proposed for several: training: {threads: 1}, of which snakemake --cores 2 runs 2 at once." in text
    slower = probed(alone, together(2, 1, 1.99))
    assert slower.several is None
    assert "they are done as soon" in probed_text(slower)
    four = probed(alone, together(4, 1, 1.2), together(2, 2, 0.5), together(8, 1, 0, "needs about 9 MB"))
    assert four.several == four.side_by_side[1]
    assert "8 of 1 thread: not measured (needs about 9 MB)" in probed_text(four)


def test_trainings_side_by_side_that_memory_does_not_hold_are_not_tried() -> None:
    result = measure_throughput(tiny.run_plan(), taken(PLAIN, 1.0, memory_mb=1e9), 2, 1)
    assert result.failed.startswith("needs about 2,000,001,200 MB, and ")
    assert result.rate == 0


@pytest.mark.full("two processes that import torch, and train")
def test_trainings_side_by_side_are_measured() -> None:
    result = measure_throughput(tiny.run_plan(), taken(PLAIN, 1.0), 2, 1)
    assert not result.failed
    assert result.rate == pytest.approx(2 / result.seconds)
    assert result.settings.threads == 1
    assert result.memory_mb > 200


def test_a_budget_is_the_number_of_steps_that_it_buys() -> None:
    trials = [taken(PLAIN, 1.0), taken(PLAIN.model_copy(update={"threads": 1}), 1.5)]
    spec = tiny.training_spec(budget={"minutes": 1})
    assert search.planned_steps(spec, trials) == 40  # on one thread; two take 2 core-seconds a step
    assert search.planned_steps(spec, trials, on_gpu=True) == 60
    assert search.planned_steps(tiny.training_spec(), trials) == 6


def test_failed_settings_are_not_proposed() -> None:
    failed = Trial(settings=HALF, failed="out of memory")
    assert search.best([failed, taken(PLAIN, 1.0)], 10).settings == PLAIN
    with pytest.raises(ConfigError, match=r"out of memory.*Lower training.batch"):
        search.best([failed], 10)


def test_a_step_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("no memory\nat all")

    monkeypatch.setattr(trial, "_steps", fail)
    assert trial.measure(tiny.run_plan(), PLAIN) == Trial(settings=PLAIN, failed="no memory")


def test_the_measured_recipe_has_the_settings() -> None:
    settings = Settings(precision="bf16-mixed", threads=1, checkpointing=True)
    recipe = settings.on(tiny.training_spec(compile=True))
    assert (recipe.precision, recipe.threads, recipe.checkpointing, recipe.compile) == ("bf16-mixed", 1, True, False)
    measured = trial.measure(tiny.run_plan(), settings)
    assert not measured.failed
    assert 0 < measured.seconds < 5
    assert measured.first > 0


def test_the_text_is_a_table_and_lines_for_the_configuration() -> None:
    trials = (
        taken(PLAIN, 1.0),
        taken(SAVING, 0.9, 66),
        taken(COMPILED, 0.95, first=61),
        Trial(settings=HALF, failed="no bf16"),
    )
    text = probed_text(Probed(device="cpu", patch=32, batch=2, steps=1000, trials=trials, proposed=SAVING))
    lines = text.splitlines()
    assert "generated patches of 32 px" in lines[0]
    [proposed_line] = [line for line in lines if line.endswith("*")]
    assert "0.9 " in proposed_line
    assert "no bf16" in text
    assert "takes 60 s and pays off after 1,201 steps" in text
    proposed = yaml.safe_load(text[text.index("training:") :])["training"]
    assert Settings(**proposed) == SAVING
    TrainingSpec(**proposed)


def test_a_plan_is_the_configuration_s(config: Path) -> None:
    plan = planned([config], "equal")
    assert (plan.training.patch, plan.model.stem, plan.weighting.name) == (32, 8, "equal")
    with pytest.raises(ConfigError, match=r"--method: found .nothing_like.; expected one of"):
        planned([config], "nothing_like")
    recipes = config.parent / "recipes"
    recipes.mkdir()
    (recipes / "wide.yaml").write_text("recipe: wide\ntraining: {patch: 64}\n")
    assert planned([config], "equal", "wide").training.patch == 64


def test_the_command_measures_prints_and_writes(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "run_trial", trial.measure)  # not in processes of their own, which take seconds
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    result = CliRunner().invoke(app, ["probe", "--config", str(config), "--json", str(tmp_path / "probed.json")])
    assert result.exit_code == 0, result.output
    record = json.loads((tmp_path / "probed.json").read_text())
    assert [each["settings"]["precision"] for each in record["trials"]] == ["32-true", "bf16-mixed"] * 3
    assert record["steps"] == 50
    assert "Proposed (*); nothing was changed." in result.output
