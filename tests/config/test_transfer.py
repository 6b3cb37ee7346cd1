"""Transfers: pairs of data sets that fit, and one sentence on those that do not."""

from typing import Any

import pytest

from mtlaerial.config import DatasetSpec
from mtlaerial.config.run_spec import RunSpec
from mtlaerial.config.transfer import TransferSpec
from mtlaerial.errors import ConfigError
from support import tiny


def spec_of(names: list[str], **changes: Any) -> DatasetSpec:
    """Return a city with classes of some names."""
    classes = [{"name": name, "values": [code], "colour": "#000000"} for code, name in enumerate(names, 1)]
    labels = {"files": "labels/{tile}.tif", "classes": classes}
    return tiny.city_spec(**{"labels": labels, **changes})


def transfer(**classes: str) -> TransferSpec:
    return TransferSpec(trained_on="a", tested_on="b", classes=classes)


def refusal(trained: DatasetSpec, tested: DatasetSpec, **classes: str) -> str:
    with pytest.raises(ConfigError) as error:
        transfer(**classes).require_fit(trained, tested)
    return str(error.value)


def test_classes_of_the_same_names_have_the_codes_of_the_tested_data_set() -> None:
    trained, tested = spec_of(["road", "tree", "roof"]), spec_of(["roof", "road", "tree"])
    assert transfer().class_codes(trained, tested) == (1, 2, 0)
    assert transfer().untrained(trained, tested) == ()


def test_several_classes_may_be_one_and_others_are_never_predicted() -> None:
    trained, tested = spec_of(["road", "square", "roof"]), spec_of(["car", "ground", "roof"])
    mapped = transfer(road="ground", square="ground")
    assert mapped.class_codes(trained, tested) == (1, 1, 2)
    assert mapped.untrained(trained, tested) == ("car",)


def test_classes_that_do_not_match_are_named_with_both_legends() -> None:
    trained, tested = spec_of(["road", "tree"]), spec_of(["road", "wood"])
    message = refusal(trained, tested)
    assert "run.transfer, from a to b: found classes that do not match (tree: tree)" in message
    assert "a has road, tree; b has road, wood" in message
    assert "State classes" in message
    assert "(car)" in refusal(spec_of(["road", "tree"]), spec_of(["road", "tree", "car"]))
    assert "(treee)" in refusal(trained, tested, treee="wood", tree="wood")


def test_bands_and_ranges_that_differ_are_refused() -> None:
    names = ["road", "tree"]
    infrared = {"files": "images/{tile}.tif", "band_names": ["nir", "red", "green"]}
    message = refusal(spec_of(names), spec_of(names, image=infrared))
    assert "bands of b that differ (nir, red, green); expected the bands of a (red, green, blue)" in message
    wide = {"files": "images/{tile}.tif", "range": [0, 4095]}
    assert "image.range [0, 4095] of b; expected that of a, [0, 255]" in refusal(
        spec_of(names), spec_of(names, image=wide)
    )


def test_splits_are_fixed_and_have_test_tiles() -> None:
    names = ["road", "tree"]
    areas = {"splits": {}, "areas": {"north": ["n"], "south": ["s"]}}
    assert "areas in b" in refusal(spec_of(names), spec_of(names, **areas))
    assert "no test tiles in b" in refusal(spec_of(names), spec_of(names, splits={"train": ["x"]}))
    with pytest.raises(ConfigError, match="one data set"):
        TransferSpec(trained_on="a", tested_on="a").require_fit(spec_of(names), spec_of(names))


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([("a", "c")], "'c'; expected selected data sets (a, b)"),
        ([("a", "b"), ("a", "b")], "a to b"),
    ],
)
def test_pairs_are_of_selected_data_sets_and_listed_once(pairs: list[tuple[str, str]], words: str) -> None:
    transfers = [{"trained_on": trained, "tested_on": tested} for trained, tested in pairs]
    run = {"datasets": ["a", "b"], "methods": ["m"], "seeds": [0], "transfer": transfers}
    with pytest.raises(ConfigError) as error:
        RunSpec.parse(run, "run")
    assert words in str(error.value)
