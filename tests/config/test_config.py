"""Configuration: accepted and refused values, the messages of errors, and the shipped files."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.config import (
    DatasetSpec,
    Recipe,
    WeightingSpec,
    load_dataset,
    load_project,
    merge,
    parse_project,
    read_yaml,
)
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.config.require import require_multiple, require_tasks
from mtlaerial.config.selection import trained_on
from mtlaerial.config.weighting import WEIGHTINGS
from mtlaerial.errors import ConfigError
from mtlaerial.weighting import build_weighting
from support import tiny
from support.configurations import PROJECT, dataset_refusal, refusal, spec_data

BASE = tiny.CONFIG / "config.yaml"
OVERLAYS = sorted(set(tiny.CONFIG.glob("*.yaml")) - {BASE})
SPECS = sorted((tiny.CONFIG / "datasets").glob("*.yaml"))


@pytest.mark.parametrize(
    ("changes", "key", "closest"),
    [
        ({"trainning": {}}, "trainning", "training"),
        ({"training": {"learning_rat": 1}}, "training.learning_rat", "learning_rate"),
        ({"training": {"augmentation": {"rotations": 1}}}, "training.augmentation.rotations", "rotation"),
        ({"datasets": {"town": {"rot": "x"}}}, "datasets.town.rot", "root"),
        ({"datasets": {"town": {"generate": {"sed": 1}}}}, "datasets.town.generate.sed", "seed"),
        ({"models": {"net": {"block": 1}}}, "models.net.block", "blocks"),
        ({"models": {"name": {"skip": True}}}, "models.name.skip", "skips"),
    ],
)
def test_an_unknown_key_names_the_closest_valid_one(changes: dict[str, Any], key: str, closest: str) -> None:
    message = refusal(changes)
    assert f"here, key {key}: found an unknown key" in message
    assert f"Did you mean {closest}?" in message


def test_an_unknown_key_that_resembles_none_lists_the_valid_ones() -> None:
    message = refusal({"run": {"xyzzy": 1}})
    assert "one of comparison, datasets, label_efficiency, methods, seeds" in message
    assert "Remove it." in message


def test_unknown_keys_of_a_specification_name_the_closest_one() -> None:
    assert "Did you mean nodata?" in dataset_refusal(height={"nodat": 0})
    assert "Did you mean licence?" in dataset_refusal(license="MIT")
    classes = [{"name": "a", "values": [1], "color": "#000000"}, {"name": "b", "values": [2], "colour": "#ffffff"}]
    message = dataset_refusal(labels={"classes": classes})
    assert "labels.classes.0.color: found an unknown key" in message
    assert "Did you mean colour?" in message
    assert "Also" not in message
    assert len(message) < 200


def test_a_renamed_key_or_value_names_the_new_one() -> None:
    message = refusal({"scoring": {"height_unit": 25.5}})
    assert "scoring.height_unit: found a key that was renamed; expected error_unit. Write error_unit" in message
    message = refusal({"training": {"schedule": "one_cycle"}})
    assert "training.schedule: found 'one_cycle'; expected warmup_cosine, the new name of one_cycle" in message
    assert "Write valid_range instead of range." in dataset_refusal(height={"range": [0, 9]})
    number = {"name": "Net", "source": "Book", "url": "https://example.org", "scores": {"MAE": 1}, "height_unit": 1}
    assert "Write error_unit instead of height_unit." in dataset_refusal(published=[number])


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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"run": {"seeds": [-1]}}, "run.seeds.0: found -1"),
        ({"run": {"seeds": [2**31]}}, "a number less than 2147483648"),
        ({"run": {"seeds": []}}, "run.seeds"),
        ({"run": {"seeds": [1, 1]}}, "run.seeds: found 1 twice; expected each of seeds once"),
        ({"run": {"methods": ["other"]}}, "run.methods: found 'other'; expected one of both"),
        ({"run": {"datasets": ["other"]}}, "run.datasets: found 'other'; expected one of town"),
        ({"methods": {"both": {"model": "other"}}}, "methods.both.model: found 'other'; expected one of net"),
        ({"methods": {"both": {"tasks": []}}}, "methods.both.tasks"),
        ({"methods": {"both": {"tasks": ["height", "height"]}}}, "each task once"),
        (
            {"methods": {"both": {"tasks": ["depth"]}}},
            "found 'depth'; expected one of edges, height, semantics",
        ),
        ({"methods": {"both": {"tasks": ["heigth"]}}}, "Did you mean height?"),
        ({"methods": {"both": {"weighting": {"name": "equals"}}}}, "methods.both.weighting.name: found 'equals'"),
        ({"methods": {"a/b": {"tasks": ["height"], "model": "net"}}}, "a/b"),
        ({"training": {"batch": "many"}}, "training.batch: found 'many'"),
        ({"training": {"patch": 100}}, "multiple of 32"),
        ({"training": {"betas": [0.9, 1.0]}}, "training.betas.1"),
        ({"training": {"precision": "half"}}, "training.precision"),
        ({"prediction": {"window": 64, "stride": 65}}, "a stride of at most the window (64)"),
        ({"scoring": {"height_bins": [5, 2]}}, "scoring.height_bins: found [5.0, 2.0]; expected ascending edges"),
        ({"models": {"net": {"reduction": 4}}}, "training.patch: found 320; expected a multiple of 128"),
    ],
)
def test_wrong_values_are_refused_with_their_key(changes: dict[str, Any], message: str) -> None:
    assert message in refusal(changes)


OTHER = {"trained_as": "both"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"methods": {"other": {**OTHER, "overrides": [1]}}},
            "methods.other.overrides: found [1]; expected a section of names with values",
        ),
        ({"methods": {"other": {**OTHER, "overrides": "abc"}}}, "methods.other.overrides: found 'abc'"),
        (
            {"methods": {"other": {"trained_as": ["both"]}}},
            "methods.other.trained_as: found ['both']; expected a method that is trained itself",
        ),
        ({"methods": {"other": {"trained_as": "nobody"}}}, "found 'nobody'; expected a method that is trained itself"),
        ({"methods": {"other": OTHER, "third": {"trained_as": "other"}}}, "methods.third.trained_as"),
        ({"methods": {"other": {**OTHER, "model": "net"}}}, "it is trained as both"),
        ({"methods": {"other": {**OTHER, "overrides": {"training": {"batch": 1}}}}}, "it is trained as both"),
        ({"methods": {"constant": OTHER}}, "methods without the name constant"),
        ({"datasets": {"tables": {"spec": "a", "root": "b"}}}, "datasets without the name tables"),
        ({"datasets": {"town": {"recipe": {"training": {"epoch": 1}}}}}, "datasets.town.recipe, key training.epoch"),
        (
            {
                "models": {"net": {"stem": 8, "pretrained": "dense"}},
                "pretrained": {"dense": {"url": "a", "sha256": "0" * 64}},
            },
            "models.net.pretrained: found dense with other sizes; expected none, the folder of a run, or",
        ),
        (
            {"models": {"net": {"pretrained": "nothing"}}},
            "models.net.pretrained: found 'nothing'; expected one of none",
        ),
    ],
)
def test_invalid_methods_and_names_are_refused(changes: dict[str, Any], message: str) -> None:
    assert message in refusal(changes)


def test_a_method_that_shares_weights_takes_over_what_trains_them() -> None:
    both = {"overrides": {"training": {"batch": 2}, "prediction": {"window": 512, "stride": 64}}}
    sharing = {**OTHER, "overrides": {"prediction": {"stride": 128}}}
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


def test_a_window_of_a_reducing_model_is_a_multiple_of_its_own() -> None:
    model = tiny.model_spec(reduction=2)
    require_multiple("--window", 128, model)
    with pytest.raises(ConfigError, match="--window: found 96; expected a multiple of 64"):
        require_multiple("--window", 96, model)


def test_the_sections_are_immutable() -> None:
    config = parse_project(PROJECT)
    with pytest.raises(ValueError, match="frozen"):
        config.training.batch = 3  # type: ignore[misc]  # that it is refused is the test


def test_every_weighting_of_the_configuration_can_be_built() -> None:
    for name in WEIGHTINGS:
        options = {"weights": {"height": 2.0}} if name == "fixed" else {}
        build_weighting(WeightingSpec(name=name, **options), ("height",))
    configured = {method.weighting.name for method in load_project(BASE).methods.values()}
    assert configured == set(WEIGHTINGS)


def test_a_method_learns_the_tasks_that_a_data_set_has() -> None:
    spec = tiny.city_spec(labels=None)
    assert require_tasks("both", ("semantics", "height"), spec, "town") == ("height",)
    with pytest.raises(ConfigError, match=r"a task that town has layers for \(height\)"):
        require_tasks("classes", ("semantics",), spec, "town")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"splits": {"train": ["a"], "val": [], "test": ["b", "a"]}},
            "key splits: found the tile a 2 times; expected each tile once, in one split",
        ),
        ({"splits": {"train": ["a"], "validation": ["b"]}}, "validation"),
        ({"gsd": 0}, "gsd: found 0"),
        (
            {"image": {"bands": [1, 2, 3], "band_names": ["red", "nir", "red"]}},
            "image.band_names: found red twice; expected each of band_names once",
        ),
        (
            {"image": {"bands": [1, 2]}},
            "image.band_names: found 3 names (red, green, blue); expected as many names as bands (2)",
        ),
        ({"image": {"range": [1, 1]}}, "image.range: found [1, 1]; expected two numbers, the lower one first"),
        ({"image": {"files": "mosaic.tif"}}, "a grid or footprints where image.files has no {tile}"),
        ({"grid": {"size": [10, 10]}}, "neither where it has"),
        ({"height": {"surface": "dsm.tif"}}, "either files, or both surface and ground"),
        ({"height": {"files": None, "surface": "dsm.tif"}}, "either files, or both surface and ground"),
        ({"height": None, "labels": None}, "height, labels, or both"),
        ({"labels": {"ignore": [1]}}, "labels.classes and ignore: found the value 1 twice; expected each value once"),
        (
            {"labels": {"eroded": {"files": "a.tif", "ignore": [2]}}},
            "found the value 2 twice; expected each value once",
        ),
        ({"labels": {"encoding": "rgb"}}, "colours only"),
        (
            {"labels": {"files": {"train": "a.tif"}}},
            "labels.files: found files for train; expected files for each of the splits train, val, test",
        ),
    ],
)
def test_faults_of_a_specification_are_named(changes: dict[str, Any], message: str) -> None:
    if "grid" not in changes:
        changes = {"grid": None, **changes}
    assert message in dataset_refusal(**changes)


def test_a_fault_between_keys_is_reported_without_the_whole_section() -> None:
    message = dataset_refusal(splits={"train": ["a"], "test": ["a"]})
    assert message.startswith("town.yaml, key splits: found the tile a 2 times")
    assert len(message) < 200


def test_colours_are_hexadecimal_or_a_list() -> None:
    classes = [{"name": "a", "values": [1], "colour": "#0a10ff"}, {"name": "b", "values": [2], "colour": [1, 2, 3]}]
    spec = DatasetSpec.parse(spec_data(labels={"classes": classes}), "town.yaml")
    assert spec.labels is not None
    assert [entry.colour for entry in spec.labels.classes] == [(10, 16, 255), (1, 2, 3)]


def test_instructions_of_several_lines_are_one_line_of_a_message() -> None:
    spec = DatasetSpec.parse(spec_data(obtain="Ask the\npublisher.\n"), "town.yaml")
    assert spec.obtain == "Ask the publisher."


def test_a_tile_knows_its_split() -> None:
    spec = tiny.city_spec()
    splits = spec.split_by_tile()
    assert [splits[tile] for tile in ("city_2", "city_3", "city_4")] == ["train", "val", "test"]
    assert spec.tiles == tuple(splits) == ("city_1", "city_2", "city_3", "city_4")


@pytest.fixture
def split_table(tmp_path: Path) -> Path:
    """Return a specification whose splits are in a CSV file beside it."""
    (tmp_path / "town.yaml").write_text(yaml.safe_dump({**spec_data(), "splits": {"csv": "splits.csv"}}))
    return tmp_path


def test_splits_are_read_from_a_table(split_table: Path) -> None:
    (split_table / "splits.csv").write_text("\ufeffsplit,tile\ntrain,a\ntest,c\ntrain,b\n", encoding="utf-8")
    spec = load_dataset(split_table / "town.yaml")
    assert spec.splits == {"train": ("a", "b"), "test": ("c",)}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("name,split\na,train\n", "found the columns name, split; expected a header with tile and split"),
        ("tile,split\n", "found no rows"),
        ("tile,split\na,train\nb\n", "splits.csv: found row 2 without a tile or split"),
        ("tile,split\na,train\nb,tests\n", "tests"),
        ("tile,split\na,test\n", "splits.train: found no tiles"),
        ("tile,split\na,train\na,test\n", "found the tile a 2 times"),
    ],
)
def test_faults_of_a_split_table_are_named(split_table: Path, table: str, message: str) -> None:
    (split_table / "splits.csv").write_text(table)
    with pytest.raises(ConfigError) as caught:
        load_dataset(split_table / "town.yaml")
    assert message in str(caught.value)


def test_a_missing_split_table_is_named(split_table: Path) -> None:
    with pytest.raises(ConfigError, match=r"splits\.csv"):
        load_dataset(split_table / "town.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "text that is not YAML"),
        ("- 1\n", "found a list; expected a mapping"),
        ("", "found nothing; expected"),
    ],
)
def test_a_file_that_is_no_mapping_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_yaml(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml: found no such file"):
        read_yaml(tmp_path / "absent.yaml")


def test_overlays_merge_mappings_and_replace_lists() -> None:
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 4}
    merged = merge(base, {"a": {"c": [3]}}, {"a": {"e": {}}, "d": {"f": 5}})
    assert merged == {"a": {"b": 1, "c": [3], "e": {}}, "d": {"f": 5}}
    assert base == {"a": {"b": 1, "c": [1, 2]}, "d": 4}


def test_the_last_file_wins(tmp_path: Path) -> None:
    for number, batch in enumerate((3, 4)):
        (tmp_path / f"{number}.yaml").write_text(yaml.safe_dump({"training": {"batch": batch}, "run": {"seeds": [7]}}))
    config = load_project(BASE, tmp_path / "0.yaml", tmp_path / "1.yaml")
    assert (config.training.batch, config.run.seeds) == (4, (7,))
    assert config.training.epochs == load_project(BASE).training.epochs


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_every_shipped_overlay_parses(overlay: Path) -> None:
    config = load_project(BASE, overlay)
    for name in config.run.datasets:
        spec = load_dataset(tiny.CONFIG.parent / config.datasets[name].spec)
        for method in config.run.methods:
            assert isinstance(recipe_in_force(config, spec.recipe, method), Recipe)


@pytest.mark.parametrize("overlay", ["demo", "autzen"])
def test_an_overlay_for_the_cpu_has_a_small_network_for_every_method(overlay: str) -> None:
    config = load_project(BASE, tiny.CONFIG / f"{overlay}.yaml")
    networks = [config.models[method.model] for method in config.methods.values()]
    assert {(network.pretrained, network.stem) for network in networks} <= {("none", 48), ("none", 24)}
    assert len({network.stem for network in networks}) == 1


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_shipped_specification_parses(path: Path) -> None:
    spec = load_dataset(path)
    assert spec.splits.get("train") or len(spec.areas) > 1
    assert recipe_in_force(load_project(BASE), spec.recipe)


def test_the_original_is_the_default_of_the_recipe() -> None:
    training = load_project(BASE).training
    assert (training.patch, training.batch, training.epochs, training.epoch_patches) == (320, 6, 120, 10_000)
    assert (training.learning_rate, training.betas, training.weight_decay) == (2e-4, (0.5, 0.999), 0)
