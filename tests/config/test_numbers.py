"""Numbers of the configuration: booleans, texts, non-finite values, and sizes out of all bounds are refused."""

import math
from typing import Any

import pytest

from mtlaerial.config import TrainingSpec, WeightingSpec, parse_project
from mtlaerial.errors import ConfigError
from mtlaerial.weighting import build_weighting
from support import tiny
from support.configurations import PROJECT, dataset_refusal, refusal

WHOLE, FINITE, SWITCH = "expected a whole number", "expected a finite number", "expected true or false"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": {"epochs": True}}, f"training.epochs: found true; {WHOLE}. YAML reads yes, on and true"),
        ({"training": {"epochs": "5"}}, f"training.epochs: found '5'; {WHOLE}. Write it without quotes."),
        ({"training": {"epochs": 2.5}}, f"training.epochs: found 2.5; {WHOLE}"),
        ({"training": {"learning_rate": True}}, "training.learning_rate: found true; expected a number"),
        ({"training": {"learning_rate": "0.1"}}, "training.learning_rate: found '0.1'; expected a number"),
        ({"training": {"compile": 1}}, f"training.compile: found 1; {SWITCH}"),
        ({"training": {"compile": "on"}}, f"training.compile: found 'on'; {SWITCH}"),
        ({"prediction": {"views": True}}, "prediction.views: found true; expected a list of some of mirror"),
        ({"run": {"seeds": [True]}}, f"run.seeds.0: found true; {WHOLE}"),
        ({"training": {"learning_rate": math.inf}}, f"training.learning_rate: found inf; {FINITE}"),
        ({"training": {"clip_norm": math.nan}}, f"training.clip_norm: found nan; {FINITE}"),
        ({"scoring": {"height_bins": [2, math.inf]}}, f"scoring.height_bins.1: found inf; {FINITE}"),
    ],
)
def test_values_that_are_no_numbers_are_refused(changes: dict[str, Any], message: str) -> None:
    assert message in refusal(changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gsd": "0.5"}, "gsd: found '0.5'; expected a number"),
        ({"image": {"nodata": True}}, "image.nodata: found true; expected a number"),
        ({"image": {"range": [math.nan, 255]}}, f"image.range.0: found nan; {FINITE}"),
        ({"height": {"scale": True}}, "height.scale: found true; expected a number"),
        ({"height": {"scale": 0}}, "height.scale: found 0; expected a number other than 0"),
        ({"height": {"offset": -math.inf}}, f"height.offset: found -inf; {FINITE}"),
        ({"height": {"valid_range": [0, math.inf]}}, f"height.valid_range.1: found inf; {FINITE}"),
        ({"labels": {"ignore": [True]}}, f"labels.ignore.0: found true; {WHOLE}"),
        ({"generated": "yes"}, f"generated: found 'yes'; {SWITCH}"),
    ],
)
def test_values_of_a_specification_that_are_no_numbers_are_refused(changes: dict[str, Any], message: str) -> None:
    assert message in dataset_refusal(**changes)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("training", "threads", 10**12),
        ("training", "batch", 10**9),
        ("training", "accumulate", 10**9),
        ("training", "patch", 32 * 10**6),
        ("training", "epochs", 10**12),
        ("training", "epoch_patches", 10**12),
        ("prediction", "window", 32 * 10**6),
        ("prediction", "stride", 10**9),
        ("prediction", "batch", 10**9),
        ("prediction", "dropout_passes", 10**9),
        ("models", "stem", 10**9),
        ("models", "growth", 10**9),
        ("models", "bottleneck", 10**9),
        ("models", "blocks", [10**9, 1, 1, 1]),
        ("models", "shared", [10**9, 1, 1]),
        ("models", "head", [10**9, 1]),
    ],
)
def test_sizes_beyond_all_machines_are_refused(section: str, key: str, value: Any) -> None:
    changes = {key: value}
    message = refusal({section: {"net": changes} if section == "models" else changes})
    assert f"{key}{'.0' if isinstance(value, list) else ''}: found 1" in message or "found 32000000" in message
    assert "expected a number of at most" in message


def test_options_of_weightings_are_as_strict() -> None:
    for options, message in (({"c": "0.4"}, "found '0.4'; expected a number"), ({"c": False}, "found false")):
        with pytest.raises(ConfigError, match=message):
            build_weighting(WeightingSpec(name="cagrad", **options), ("semantics", "height"))


def test_a_number_in_yaml_s_exponent_form_without_a_point_is_a_number() -> None:
    """PyYAML and Snakemake read 1e-3 as text."""
    config = parse_project({**PROJECT, "training": {"learning_rate": "1e-3", "epoch_patches": "1e4"}})
    assert (config.training.learning_rate, config.training.epoch_patches) == (0.001, 10_000)


def test_whole_floats_and_integers_are_taken_for_each_other() -> None:
    training = TrainingSpec.parse({**tiny.TRAINING, "epochs": 3.0, "learning_rate": 1}, "training")
    assert (training.epochs, training.learning_rate) == (3, 1.0)
