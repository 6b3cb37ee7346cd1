"""Layers of the recipe: configuration, specification, data set, method, and method on a data set; the last wins."""

from functools import cache
from typing import Any

import pytest

from mtlaerial.config import (
    PredictionSpec,
    ProjectConfig,
    TrainingSpec,
    load_dataset,
    load_project,
    merge,
    parse_project,
    read_yaml,
)
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.config.selection import methods_on
from mtlaerial.errors import ConfigError
from mtlaerial.pipeline.project import Project
from support import tiny
from support.configurations import BASE, PROJECT, refusal

SHARING = {"trained_as": "both"}
METHODS = {"methods": {"height": {"tasks": ["height"], "model": "net"}, "again": SHARING}}


def with_overrides(**overrides: Any) -> dict[str, Any]:
    """Return a configuration whose data set town has overrides."""
    return merge(PROJECT, METHODS, {"datasets": {"town": {"overrides": overrides}}})


def shipped(*overlays: str) -> ProjectConfig:
    return load_project(BASE, *(tiny.CONFIG / f"{name}.yaml" for name in overlays))


@cache
def specified(dataset: str) -> dict[str, Any]:
    return load_dataset(tiny.CONFIG / "datasets" / f"{dataset}.yaml").recipe


def in_force(config: ProjectConfig, dataset: str, method: str) -> tuple[TrainingSpec, PredictionSpec]:
    recipe = recipe_in_force(config, specified(dataset), method, dataset)
    return recipe.training, recipe.prediction


def test_each_layer_wins_over_those_before_it() -> None:
    values = [{"training": {"batch": number}} for number in range(1, 6)]
    data = merge(PROJECT, values[0])
    batches = [recipe_in_force(parse_project(data), {}, "both", "town").training.batch]
    batches.append(recipe_in_force(parse_project(data), values[1], "both", "town").training.batch)
    for number, layer in enumerate((
        {"datasets": {"town": {"recipe": values[2]}}},
        {"methods": {"both": {"overrides": values[3]}}},
        {"datasets": {"town": {"overrides": {"both": values[4]}}}},
    )):  # fmt: skip
        data = merge(data, layer)
        batches.append(recipe_in_force(parse_project(data), values[1], "both", "town").training.batch)
        assert batches[-1] == number + 3
    assert batches == [1, 2, 3, 4, 5]


def test_overrides_of_a_data_set_leave_its_rows_and_other_data_sets_alone() -> None:
    data = with_overrides(height={"training": {"epochs": 7}, "scoring": {"height_bins": [3]}})
    config = parse_project(merge(data, {"datasets": {"city": {"spec": "city.yaml", "root": "city"}}}))
    assert recipe_in_force(config, {}, "height", "town").training.epochs == 7
    assert recipe_in_force(config, {}, "height", "town").scoring.height_bins == (3,)
    for method, dataset in (("both", "town"), ("height", "city"), ("height", None)):
        assert recipe_in_force(config, {}, method, dataset).training.epochs == 120


def test_another_prediction_follows_the_overrides_of_the_method_that_trains_it() -> None:
    data = with_overrides(both={"training": {"epochs": 9}, "prediction": {"stride": 128, "batch": 2}})
    config = parse_project(data)
    assert recipe_in_force(config, {}, "again", "town").training.epochs == 9
    assert recipe_in_force(config, {}, "again", "town").prediction.stride == 128
    sharing = {"methods": {"again": {"overrides": {"prediction": {"stride": 64}}}}}
    prediction = recipe_in_force(parse_project(merge(data, sharing)), {}, "again", "town").prediction
    assert (prediction.stride, prediction.batch) == (64, 2)  # its changes are made after those of `both`


def test_methods_that_differ_on_a_data_set_by_its_overrides_alone_both_run_there() -> None:
    """Without labels a method of both tasks repeats that of heights, unless one of them is overridden."""
    heights = tiny.city_spec(labels=None)
    data = merge(PROJECT, METHODS, {"run": {"methods": ["height", "both"]}})
    assert methods_on(parse_project(data), "town", heights) == ("height",)
    changed = merge(data, with_overrides(height={"training": {"epochs": 7}}), {"run": {"methods": ["height", "both"]}})
    assert methods_on(parse_project(changed), "town", heights) == ("height", "both")


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"heigth": {}}, ("datasets.town.overrides: found 'heigth'", "Did you mean height?")),
        ({"height": {"training": {"epoch": 3}}}, ("datasets.town.overrides.height, key training.epoch", "epochs?")),
        ({"height": {"trainings": {}}}, ("datasets.town.overrides.height, key trainings", "Did you mean training?")),
        ({"height": 3}, ("datasets.town.overrides.height: found 3", "a section of names with values")),
        ({"again": {"training": {"epochs": 3}}}, ("datasets.town.overrides.again", "it is trained as both")),
    ],
)
def test_wrong_overrides_are_refused_by_their_key(overrides: Any, words: tuple[str, ...]) -> None:
    message = refusal(merge(METHODS, {"datasets": {"town": {"overrides": overrides}}}))
    for word in words:
        assert word in message


def test_a_stride_beyond_the_window_is_refused_with_the_layers_that_may_state_it() -> None:
    message = r"^prediction or recipe of the data set: found the stride 1024; .* at most the window \(512\)"
    config = parse_project(merge(PROJECT, {"prediction": {"window": 512}}))
    with pytest.raises(ConfigError, match=message):
        recipe_in_force(config, {"prediction": {"stride": 1024}}, "both", "town")


# The shipped configuration and its overlays


def test_rows_of_a_data_set_have_equal_budgets_by_default() -> None:
    config = shipped()
    for dataset, batch, epochs, stride in (("dfc2018", 6, 120, 256), ("vaihingen", 4, 20, 1024)):
        for method in config.run.methods:
            training, prediction = in_force(config, dataset, method)
            assert (training.batch, training.epochs) == (batch, epochs)
            assert prediction.stride == (512 if method == "equal_dropout" else stride)


def test_original_single_has_the_schedules_of_the_original_s_code() -> None:
    config, default = shipped("original_single"), shipped()
    schedules = {
        (dataset, method): (training.epochs, training.batch, prediction.stride)
        for dataset in config.run.datasets
        for method in config.run.methods
        for training, prediction in [in_force(config, dataset, method)]
        if (training, prediction) != in_force(default, dataset, method)
    }
    assert schedules == {
        ("dfc2018", "semantics"): (300, 6, 256),
        ("dfc2018", "height"): (80, 6, 256),
        ("vaihingen", "semantics"): (300, 6, 256),
        ("vaihingen", "height"): (300, 6, 256),
    }
    assert config.results != default.results
    assert (config.models, config.run) == (default.models, default.run)


def networks(config: ProjectConfig) -> dict[str, bool]:
    """Return, of each selected method, whether its network has skips."""
    return {name: config.models[config.methods[name].model].skips for name in config.run.methods}


def test_skips_are_left_out_in_one_row_or_in_all() -> None:
    skips = networks(shipped())
    assert [name for name, present in skips.items() if not present] == ["equal_noskips"]
    without = networks(shipped("no_skips"))
    assert without == dict.fromkeys(without, False)
    assert set(without) == set(skips) - {"equal_noskips"}
    assert shipped("no_skips").results != shipped().results


def test_the_original_s_rows_begin_with_normal_weights_and_small_networks_with_the_default() -> None:
    initial = {overlay: {model.initialisation for model in shipped(*overlay).models.values()} for overlay in (
        (), ("original_single",), ("no_skips",), ("demo",), ("autzen",), ("autzen", "weightings"),
    )}  # fmt: skip
    assert {overlay for overlay, values in initial.items() if values == {"normal"}} == set(list(initial)[:3])
    assert {overlay for overlay, values in initial.items() if values == {"default"}} == set(list(initial)[3:])


@pytest.mark.parametrize(("overlays", "trainings"), [((), 54), (("original_single",), 54), (("no_skips",), 48)])
def test_a_plan_trains_each_method_of_its_own(
    overlays: tuple[str, ...], trainings: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny.CONFIG.parent)
    files = [BASE, *(tiny.CONFIG / f"{name}.yaml" for name in overlays)]
    project = Project.of(merge({}, *map(read_yaml, files)))
    assert len(project.trainings()) * len(project.config.run.seeds) == trainings
    plans = {method: project.plan("vaihingen", method, 0) for method in ("equal", "equal_dropout")}
    assert plans["equal"].training == plans["equal_dropout"].training
