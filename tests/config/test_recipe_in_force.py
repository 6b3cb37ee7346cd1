"""The recipe in force: which change wins, and what is checked after all changes."""

import pytest

from mtlaerial.config import load_project, merge, parse_project
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.config.selection import trained_on
from mtlaerial.errors import ConfigError
from support import tiny
from support.configurations import BASE, PROJECT, refusal


def test_overrides_are_checked_like_the_recipe_itself() -> None:
    message = refusal({"methods": {"both": {"overrides": {"training": {"batches": 2}}}}})
    assert message.startswith("methods.both.overrides, key training.batches: found an unknown key")
    assert "Did you mean batch?" in message


def test_overrides_win_in_the_order_configuration_dataset_method() -> None:
    changes = {
        "training": {"batch": 2, "epochs": 3, "patch": 64},
        "methods": {"both": {"overrides": {"training": {"batch": 7}}}},
    }
    config = parse_project(merge(PROJECT, changes))
    recipe = recipe_in_force(config, {"training": {"batch": 5, "epochs": 9}}, "both")
    assert (recipe.training.batch, recipe.training.epochs, recipe.training.patch) == (7, 9, 64)
    assert recipe_in_force(config, {"training": {"batch": 5}}).training.batch == 5


def test_a_fault_in_the_recipe_of_a_data_set_is_not_blamed_on_the_method() -> None:
    config = parse_project(PROJECT)
    with pytest.raises(ConfigError, match=r"^recipe of the data set, key training\.epoch: "):
        recipe_in_force(config, {"training": {"epoch": 3}}, "both")


def test_a_method_that_shares_weights_takes_over_what_trains_them() -> None:
    both = {"overrides": {"training": {"batch": 2}, "prediction": {"window": 512, "stride": 64}}}
    sharing = {"trained_as": "both", "overrides": {"prediction": {"stride": 128}}}
    config = parse_project(merge(PROJECT, {"run": {"methods": ["other"]}, "methods": {"both": both, "other": sharing}}))
    assert trained_on(config, "town", tiny.city_spec()) == ("both",)
    recipe = recipe_in_force(config, {}, "other")
    assert (recipe.training.batch, recipe.prediction.window, recipe.prediction.stride) == (2, 512, 128)


def test_sizes_are_checked_after_all_changes_are_applied() -> None:
    changes = {
        "prediction": {"window": 128, "stride": 64},
        "methods": {"both": {"overrides": {"prediction": {"stride": 192}}}},
    }
    config = parse_project(merge(PROJECT, changes))
    assert recipe_in_force(config, {"prediction": {"window": 256}}, "both").prediction.stride == 192
    with pytest.raises(ConfigError, match=r"a stride of at most the window \(128\)"):
        recipe_in_force(config, {}, "both")


def test_the_original_is_the_default_of_the_recipe() -> None:
    training = load_project(BASE).training
    assert (training.patch, training.batch, training.epochs, training.epoch_patches) == (320, 6, 120, 10_000)
    assert (training.learning_rate, training.betas, training.weight_decay) == (2e-4, (0.5, 0.999), 0)
