"""Messages of the configuration's errors: the key, the value and the expectation in the words of the user."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.config import load_dataset, load_project
from mtlaerial.errors import ConfigError
from support import tiny
from support.configurations import PROJECT, dataset_refusal, refusal, spec_data

CLASSES = [{"name": f"class {code}", "values": [code], "colour": "#000000"} for code in range(1, 6)]


def classes(**changes: Any) -> dict[str, Any]:
    return {"classes": [{**entry, **changes} for entry in CLASSES]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"run": {"seeds": 3}}, "here, key run.seeds: found 3; expected a list of whole numbers. Write [3]."),
        ({"run": {"seeds": []}}, "here, key run.seeds: found []; expected a list of whole numbers, at least 1."),
        ({"run": {"seeds": "first"}}, "found 'first'; expected a list of whole numbers. Correct the value."),
        ({"run": {"methods": "both"}}, "key run.methods: found 'both'; expected a list of names. Write [both]."),
        ({"run": {"methods": ["boht"]}}, "found 'boht'; expected one of both. Did you mean both?"),
        (
            {"methods": {"both": {"model": "nett"}}},
            "methods.both.model: found 'nett'; expected one of net. Did you mean",
        ),
        ({"methods": {"both": {"weighting": {"name": "equall"}}}}, "Did you mean equal?"),
        ({"training": None}, "key training: found nothing; expected a section with keys such as patch, batch"),
        ({"training": {"betas": 0.9}}, "key training.betas: found 0.9; expected a list of 2 numbers."),
        (
            {"training": {"batch": 6, "accumulate": 4}},
            "key training.batch: found 6; expected a multiple of accumulate (4)",
        ),
        ({"results": "out/{x}"}, "key results: found 'out/{x}'; expected a path without braces"),
        (
            {"datasets": {"town": {"root": "a{b"}}},
            "key datasets.town.root: found 'a{b'; expected a path without braces",
        ),
        ({"methods": {"a/b": {}}}, "methods.a/b: found 'a/b'; expected a name of letters, digits, dots"),
    ],
)
def test_a_wrong_value_is_said_in_the_words_of_the_user(changes: dict[str, Any], message: str) -> None:
    assert message in refusal(changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": classes(colour="red")}, "labels.classes.0.colour: found 'red'; expected a colour: \"#rrggbb\""),
        ({"labels": classes(colour="#gg0000")}, "found '#gg0000'; expected a colour"),
        ({"labels": classes(colour=[1, 2])}, "found [1, 2]; expected a list of 3 whole numbers"),
        ({"image": {"range": 255}}, "image.range: found 255; expected a list of 2 numbers"),
        ({"image": {"files": 3}}, "image.files: found 3; expected a path below the root, or a list of paths"),
        (
            {"image": {"corner": "{1}"}},
            "image.corner: found '{1}'; expected a pattern with {west} and {south}, each once",
        ),
        ({"image": {"corner": "{x}{x}{west}{south}"}}, "each once, and no other braces"),
        (
            {"image": {"files": "a.tif"}, "grid": {"size": [9, 9], "name": "{1}"}},
            "grid.name: found '{1}'; expected a pattern",
        ),
        ({"labels": {"files": 3}}, "labels.files: found 3; expected a path below the root, or a list of paths"),
        (
            {"image": {"files": "{title}.tif"}},
            "image.files: found {title} in {title}.tif; expected {tile}, or fields of tile_name",
        ),
        (
            {"height": {"optional": ["tset"]}},
            "height.optional: found 'tset'; expected splits or tiles of the data set. Did",
        ),
        ({"title": 3}, "title: found 3; expected text. Put it into quotes."),
        (
            {"height": {"surface": "a"}},
            "key height.files, surface, ground: found files and surface; expected either files",
        ),
    ],
)
def test_a_wrong_value_of_a_specification_is_said_in_the_words_of_the_user(
    changes: dict[str, Any], message: str
) -> None:
    assert message in dataset_refusal(**changes)


def test_a_key_misspelled_in_every_class_is_said_once() -> None:
    misspelled = [{"name": f"class {code}", "values": [code], "color": "#000000"} for code in range(1, 6)]
    assert dataset_refusal(labels={"classes": misspelled}) == (
        "town.yaml, key labels.classes.0.color: found an unknown key; expected one of colour, name, values. "
        "Did you mean colour?"
    )


def test_further_faults_follow_the_first() -> None:
    message = refusal({"training": {"batch": "x", "epochs": "x", "patch": 1, "threads": 0, "log_every": 0}})
    assert message.count("Also training.") == 3
    assert message.endswith("And 1 more.")


def write(path: Path, data: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return path


def test_a_configuration_given_as_a_data_set_is_recognised() -> None:
    with pytest.raises(ConfigError) as caught:
        load_dataset(tiny.CONFIG / "demo.yaml")
    assert "demo.yaml: found a configuration of the workflow; expected the specification of a data set." in str(
        caught.value
    )
    assert "--config" in str(caught.value)
    assert len(str(caught.value)) < 250 + len(str(tiny.CONFIG))


def test_a_data_set_given_as_a_configuration_is_recognised(tmp_path: Path) -> None:
    spec = write(tmp_path / "town.yaml", spec_data())
    base = write(tmp_path / "base.yaml", PROJECT)
    for paths in ([spec], [base, spec]):
        with pytest.raises(
            ConfigError, match=r"town\.yaml: found the specification of a data set; expected a configuration"
        ):
            load_project(*paths)


def test_a_run_given_as_a_data_set_is_recognised(tmp_path: Path) -> None:
    run = write(tmp_path / "run.yaml", {"mtlaerial": "1", "plan": {}, "statistics": {}, "epoch": 3})
    with pytest.raises(ConfigError, match=r"run\.yaml: found the description of a trained run"):
        load_dataset(run)


@pytest.mark.parametrize(("key", "text"), [("1", "1"), ("true", "true"), ("2001-01-01", "the date 2001-01-01")])
def test_a_key_that_is_no_text_is_put_into_quotes(key: str, text: str, tmp_path: Path) -> None:
    path, data = tmp_path / "town.yaml", spec_data()
    del data["areas"]
    for line in (f"{key}: b\n", f"areas: {{{key}: [a]}}\n"):
        path.write_text(yaml.safe_dump(data) + line)
        with pytest.raises(ConfigError) as caught:
            load_dataset(path)
        assert f": found {text}; expected text. Put it into quotes." in str(caught.value)


def test_a_value_of_thousands_of_characters_is_shortened() -> None:
    assert len(dataset_refusal(folders="a/" * 5_000)) < 500
    assert len(dataset_refusal(**{"a" * 5_000: 1})) < 500


def test_a_weighting_of_thousands_of_characters_is_shortened() -> None:
    message = refusal({"methods": {name: {"weighting": {"name": "a" * 5_000}} for name in ("equal", "uw", "dwa")}})
    assert len(message) < 1_500
