"""Recipes by name: where their keys apply, which one is in force, and the shipped files."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.config import load_project, merge, parse_project
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.config.recipe_overlay import merge_files, names_recipes
from mtlaerial.config.recipes_of_methods import recipe_notes
from mtlaerial.errors import ConfigError
from support import tiny
from support.configurations import BASE, PROJECT

AUTZEN = tiny.CONFIG / "autzen.yaml"
RECIPES = sorted((tiny.CONFIG / "recipes").glob("*.yaml"))
SMALL = {"recipe": "small", "model": "little", "models": {"little": {"stem": 8}}, "training": {"batch": 2, "patch": 64}}
LARGE = {"recipe": "large", "model": "net", "models": {"net": {"stem": 128}}, "training": {"batch": 64}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a configuration and two recipes."""
    (tmp_path / "recipes").mkdir()
    for name, content in (("small", SMALL), ("large", LARGE)):
        (tmp_path / "recipes" / f"{name}.yaml").write_text(yaml.safe_dump(content))
    data = merge(PROJECT, {"models": {"net": {"growth": 8}}, "training": {"batch": 5, "epochs": 7}})
    (tmp_path / "base.yaml").write_text(yaml.safe_dump(data))
    return tmp_path


def overlay(folder: Path, name: str, **content: Any) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_recipe_of_a_file_applies_before_its_other_keys_and_after_files_before_it(folder: Path) -> None:
    config = load_project(folder / "base.yaml", overlay(folder, "town", recipe="small", training={"patch": 96}))
    assert (config.training.batch, config.training.patch, config.training.epochs) == (2, 96, 7)
    assert config.recipe_overlay is not None
    assert config.recipe_overlay.name == "small"


def test_recipe_named_later_leaves_no_key_of_the_first(folder: Path) -> None:
    town = overlay(folder, "town", recipe="small")
    for config in (
        load_project(folder / "base.yaml", town, folder / "recipes/large.yaml"),
        load_project(folder / "base.yaml", folder / "recipes/small.yaml", folder / "recipes/large.yaml"),
        load_project(folder / "base.yaml", town, recipe="large"),
        parse_project(merge_files([folder / "base.yaml", town], {"recipe": "large"})),
    ):
        assert (config.training.batch, config.training.patch) == (64, 320)
        assert "little" not in config.models


def test_null_takes_a_recipe_away_and_a_later_file_may_name_one_again(folder: Path) -> None:
    town = overlay(folder, "town", recipe="small", training={"epochs": 3})
    without = overlay(folder, "without", recipe=None)
    paths = [folder / "base.yaml", folder / "recipes/large.yaml", town, without]
    config = load_project(*paths)
    assert config.recipe_overlay is None
    assert config == load_project(folder / "base.yaml", overlay(folder, "plain", training={"epochs": 3}))
    assert parse_project(merge_files(paths[:-1], {"recipe": None})) == config
    assert names_recipes(merge_files(paths))  # the workflow must not take Snakemake's keys, which have those of large
    assert load_project(*paths, recipe="large").training.batch == 64


def test_overlay_with_the_name_of_the_recipe_that_it_names_is_not_the_recipe(folder: Path) -> None:
    config = load_project(folder / "base.yaml", overlay(folder, "small", recipe="small", training={"patch": 96}))
    assert (config.training.batch, config.training.patch) == (2, 96)


def test_network_of_a_recipe_replaces_one_of_its_name_and_later_files_change_it(folder: Path) -> None:
    later = overlay(folder, "later", models={"net": {"head": [8, 8]}})
    net = load_project(folder / "base.yaml", folder / "recipes/large.yaml", later).models["net"].model_dump()
    assert (net["stem"], net["growth"], net["head"]) == (128, 32, (8, 8))  # of base.yaml, growth was 8


def test_options_of_the_command_line_win_over_the_recipe_that_they_name(folder: Path) -> None:
    config = parse_project(merge_files([folder / "base.yaml"], {"recipe": "small", "training": {"batch": 3}}))
    assert (config.training.batch, config.training.patch) == (3, 64)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "best",
            ("key recipe: found 'best'; expected one of best-day, best-hour, large, small", "best-day or best-hour"),
        ),
        ("smal", ("Did you mean small?",)),
        (3, ("found 3; expected one of",)),
    ],
)
def test_name_of_no_recipe_lists_all_and_chooses_none(folder: Path, name: Any, words: tuple[str, ...]) -> None:
    for length in ("hour", "day"):
        shutil.copy(folder / "recipes/small.yaml", folder / f"recipes/best-{length}.yaml")
    with pytest.raises(ConfigError) as caught:
        load_project(folder / "base.yaml", overlay(folder, "town", recipe=name))
    assert str(caught.value).startswith(f"{folder}/town.yaml, key recipe: ")
    for word in words:
        assert word in str(caught.value)


def test_recipe_of_another_name_than_its_file_is_refused(folder: Path) -> None:
    overlay(folder / "recipes", "copy", **SMALL)
    with pytest.raises(ConfigError, match=r"recipes/copy\.yaml, key recipe: found 'small'; expected copy"):
        load_project(folder / "base.yaml", recipe="copy")


def test_configuration_without_recipes_beside_it_says_so(tmp_path: Path) -> None:
    path = overlay(tmp_path, "alone", **PROJECT, recipe="compact")
    with pytest.raises(ConfigError, match=r"a recipe in the folder .*/recipes, which has none"):
        load_project(path)


def test_name_that_was_not_read_with_its_file_is_refused() -> None:
    with pytest.raises(
        ConfigError, match="key recipe: found 'compact'; expected a recipe that was read with the files"
    ):
        parse_project(merge(PROJECT, {"recipe": "compact"}))


def test_method_without_a_network_has_that_of_the_configuration() -> None:
    methods = {"both": {"tasks": ["height"]}, "named": {"tasks": ["height"], "model": "net"}}
    data = {**PROJECT, "model": "small", "models": {"net": {}, "small": {"stem": 8}}}
    config = parse_project({**data, "methods": {**methods, "again": {"trained_as": "both"}}})
    models = {name: method.model for name, method in config.methods.items()}
    assert models == {"both": "small", "named": "net", "again": "small"}


def test_network_that_is_missing_or_unknown_is_named() -> None:
    methods = {"both": {"tasks": ["height"]}}
    with pytest.raises(ConfigError, match=r"methods\.both\.model: found nothing; expected the name of a network"):
        parse_project({**PROJECT, "methods": methods})
    with pytest.raises(ConfigError, match=r"model: found 'nett'; expected one of net\. Did you mean net\?"):
        parse_project({**PROJECT, "model": "nett"})


def test_method_with_a_recipe_of_its_own_has_its_network_and_its_keys_alone(folder: Path) -> None:
    """Batch 5 and growth 8 of the configuration are not those of the recipe; the data set's changes come after it."""
    methods = {"both": {"tasks": ["height"], "model": "net"}, "own": {"tasks": ["height"], "recipe": "large"}}
    again = {"again": {"trained_as": "own"}, "other": {"tasks": ["height"], "recipe": "large", "model": "net"}}
    town = overlay(folder, "town", recipe="small", methods={**methods, **again})
    config = load_project(folder / "base.yaml", town)
    for method in ("own", "again", "other"):
        training = recipe_in_force(config, {"training": {"patch": 128}}, method, "town").training
        assert (training.batch, training.epochs, training.patch) == (64, 120, 128)
        network = config.models[config.methods[method].model].model_dump()
        assert (network["stem"], network["growth"]) == (128, 32)
    assert recipe_in_force(config, {}, "both", "town").training.batch == 2
    assert config.models[config.methods["both"].model].model_dump()["growth"] == 8


def test_method_with_the_name_of_no_recipe_is_refused(folder: Path) -> None:
    methods = {"both": {"tasks": ["height"], "recipe": "larg"}}
    with pytest.raises(ConfigError, match=r"^methods\.both, key recipe: found 'larg'; .* Did you mean large\?"):
        load_project(folder / "base.yaml", overlay(folder, "town", methods=methods))
    joined = {"both": {"tasks": ["height"]}, "mean": {"ensemble": {"members": ["both"]}, "recipe": "large"}}
    with pytest.raises(ConfigError, match=r"methods\.mean: found the keys recipe; .* as the members have these"):
        load_project(folder / "base.yaml", overlay(folder, "town", recipe="small", methods=joined))
    sharing = {**methods, "both": {"tasks": ["height"]}, "again": {"trained_as": "both", "recipe": "large"}}
    with pytest.raises(ConfigError, match=r"methods\.again: found the keys recipe; .* trained as both"):
        load_project(folder / "base.yaml", overlay(folder, "town", recipe="small", methods=sharing))


def test_scoring_of_a_recipe_that_a_method_names_applies_over_that_of_the_configuration(folder: Path) -> None:
    (folder / "recipes/scored.yaml").write_text(
        yaml.safe_dump({"recipe": "scored", "scoring": {"height_bins": [1, 3]}})
    )
    methods = {"own": {"tasks": ["height"], "model": "net", "recipe": "scored"}}
    town = overlay(folder, "town", methods=methods, scoring={"height_bins": [9], "error_unit": 0.01})
    scoring = recipe_in_force(load_project(folder / "base.yaml", town), {}, "own", "town").scoring
    assert (scoring.height_bins, scoring.error_unit) == ((1, 3), 0.01)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"trainign": {"batch": 3}}, r"recipe wrong, key trainign: found an unknown key; .* Did you mean training\?"),
        ({"models": None}, r"wrong\.yaml, key models: found nothing; expected a section of networks"),
        ({"models": ["net"]}, r"wrong\.yaml, key models: found \['net'\]; expected a section of networks"),
    ],
)
def test_fault_of_a_recipe_that_a_method_names_is_refused(folder: Path, content: dict[str, Any], words: str) -> None:
    (folder / "recipes/wrong.yaml").write_text(yaml.safe_dump({"recipe": "wrong", **content}))
    methods = {"own": {"tasks": ["height"], "model": "net", "recipe": "wrong"}}
    with pytest.raises(ConfigError, match=words):
        load_project(folder / "base.yaml", overlay(folder, "town", methods=methods))


def test_note_names_keys_of_a_recipe_that_do_not_apply_to_a_method() -> None:
    methods = {name: {"tasks": ["height"], "recipe": name} for name in ("best-10min", "compact")}
    config = parse_project(merge_files([BASE], {"methods": methods}))
    (note,) = recipe_notes(config.methods, ["best-10min", "compact"])
    assert note.startswith("Left out of best-10min: the keys run, methods of the recipe best-10min, which apply only")
    assert recipe_notes(config.methods, ["compact"]) == []


@pytest.mark.parametrize(("second", "batch"), [("large", 64), ("small", 5)])
def test_ensemble_has_the_recipe_that_all_its_members_name(folder: Path, second: str, batch: int) -> None:
    """Else it predicts as the configuration says; the overrides of its members are not its own."""
    overrides = {"prediction": {"activation": "softmax"}}
    methods = {
        "one": {"tasks": ["height"], "recipe": "large", "overrides": overrides},
        "two": {"tasks": ["height"], "recipe": second, "overrides": overrides},
        "mean": {"ensemble": {"members": ["one", "two"]}},
    }
    recipe = recipe_in_force(
        load_project(folder / "base.yaml", overlay(folder, "town", methods=methods)), {}, "mean", "town"
    )
    assert (recipe.training.batch, recipe.prediction.activation) == (batch, "sigmoid")


def test_two_recipes_can_be_rows_of_one_table() -> None:
    rows = {"run": {"methods": ["equal", "small"]}, "methods": {"small": {"tasks": ["height"], "recipe": "compact"}}}
    config = parse_project(merge_files([BASE, AUTZEN, tiny.CONFIG / "recipes/best-10min.yaml"], rows))
    compact = load_project(BASE, AUTZEN)
    assert recipe_in_force(config, {}, "small", "autzen") == recipe_in_force(compact, {}, "equal", "autzen")
    assert config.models[config.methods["small"].model] == compact.models["d3net"]
    assert config.models[config.methods["equal"].model] == config.models["lite0"]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_shipped_recipe_parses_and_names_a_network_that_it_describes(path: Path) -> None:
    content = yaml.safe_load(path.read_text())
    assert content["model"] in content["models"]
    assert set(content) <= {"recipe", "model", "models", "methods", "run", "training", "prediction"}
    config = load_project(BASE, AUTZEN, path)
    assert config.methods["equal"].model == content["model"]
    for method in ("equal", *content.get("methods", {})):
        assert recipe_in_force(config, {}, method, "autzen").training.steps > 0
    header = path.read_text().partition("recipe:")[0]
    assert "Measured" in header
    assert "xtrapolated" in header or "Not measured" in header or path.stem == "paper"


def test_recipe_of_the_paper_is_that_of_the_configuration() -> None:
    config, paper = load_project(BASE), load_project(BASE, recipe="paper")
    assert paper.model_copy(update={"recipe_overlay": None}) == config
    demo = load_project(BASE, tiny.CONFIG / "demo.yaml", recipe="paper")
    machine = {"accelerator": "auto", "threads": 2}  # the demo's, which the recipe does not state
    assert demo.training.model_copy(update=machine) == config.training
    assert (demo.models, demo.prediction) == (config.models, config.prediction)


def test_recipe_of_the_documented_results_has_not_changed() -> None:
    """The keys by which docs/results.md was measured, but for two threads, which differ by rounding."""
    config = load_project(BASE, AUTZEN)
    network = {
        "pretrained": "none", "initialisation": "default", "stem": 48, "growth": 32, "blocks": (4, 6, 8, 6),
        "bottleneck": 2, "shared": (256, 128, 64), "head": (48, 32), "dropout": 0.1, "reduction": 2,
    }  # fmt: skip
    training = {
        "patch": 256, "batch": 8, "epochs": 4, "epoch_patches": 3200, "learning_rate": 1e-3, "betas": (0.9, 0.99),
        "weight_decay": 0.02, "schedule": "warmup_cosine", "class_weights": "none", "height_loss": "l1",
        "height_mean": "known", "height_unit": 5, "selection": "last", "precision": "bf16-mixed", "accelerator": "cpu",
        "threads": 1,
    }  # fmt: skip
    augmentation = {
        "flip": False, "quarter_turns": False, "rotation": 5, "zoom": 0.2, "colour": 0.05,
        "image_resampling": "bilinear",
    }  # fmt: skip
    recipe = recipe_in_force(config, {}, "equal", "autzen")
    assert recipe.training == tiny.training_spec().model_validate({**training, "augmentation": augmentation})
    assert recipe.prediction.model_dump(include={"window", "stride", "activation"}) == {
        "window": 512, "stride": 256, "activation": "softmax",
    }  # fmt: skip
    for name, skips in (("d3net", True), ("d3net_noskips", False)):
        assert config.models[name] == type(config.models[name]).model_validate({**network, "skips": skips})
    assert (config.run.methods, config.run.seeds, str(config.results)) == (("equal",), (0, 1, 2), "results/autzen")
