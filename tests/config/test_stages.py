"""The tables of keys and stages: they name every key, and the params of exactly these rules change with the key."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from mtlaerial.config import DatasetSpec, ProjectConfig, Section, merge
from mtlaerial.config.configuration_stages import CONFIGURATION_STAGES
from mtlaerial.config.decisive_keys import STAGES
from mtlaerial.config.encoder import NETWORKS
from mtlaerial.config.specification_stages import SPECIFICATION_STAGES
from mtlaerial.errors import ConfigError
from support.every_key import KINDS, NEEDED, SPECIFICATIONS, TILES, changed, keys_of
from support.project_jobs import project, repeated

OVERLAYS = {"recipe", "datasets.*.recipe", "datasets.*.overrides", "methods.*.overrides"}
"""Keys for changes of ``training``, ``prediction`` and ``scoring``."""
OF_ENSEMBLES = {"methods.*.ensemble.members", "methods.*.ensemble.seeds", "methods.*.ensemble.heights"}
"""Keys of a method that not every method has; they have a test of their own."""
CONSTANT = {"models.*.name"}
"""Keys that have one valid value."""


def test_tables_name_every_key_and_no_other() -> None:
    assert set(keys_of(ProjectConfig)) == set(CONFIGURATION_STAGES)
    assert set(keys_of(DatasetSpec)) == set(SPECIFICATION_STAGES)


@pytest.mark.quick_cases(24, "the table of stages is one rule for all keys")
@pytest.mark.parametrize("key", sorted(set(STAGES) - OVERLAYS - CONSTANT - OF_ENSEMBLES))
def test_a_key_repeats_exactly_its_stages(
    key: str, configuration: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NETWORKS.builtin, "packaged", "package:build")  # type: ignore[arg-type]  # a dict
    in_configuration = key.split(".", maxsplit=1)[0] in ProjectConfig.model_fields
    networks = KINDS if key.startswith("models.") else KINDS[:1]
    configuration = merge(configuration, NEEDED.get(key, {}))
    for specification, network in product(SPECIFICATIONS, networks):
        configuration["models"]["net"] = network
        model: type[Section] = ProjectConfig if in_configuration else DatasetSpec
        for data in changed(configuration if in_configuration else specification, model, key):
            before = project(configuration, specification)
            try:
                after = project(data, specification) if in_configuration else project(configuration, data)
            except ConfigError:  # e.g. a patch that is no multiple of the model's
                continue
            assert repeated(before, after) == set(STAGES[key])
            return
    pytest.fail(f"no other value of {key} is valid")


@pytest.mark.parametrize("ensemble", [{"members": ["both"]}, {"seeds": "all"}, {"heights": "median"}])
def test_keys_of_an_ensemble_repeat_the_description_and_the_maps_of_an_ensemble(
    ensemble: dict[str, Any], configuration: dict[str, Any]
) -> None:
    configuration["run"]["seeds"] = [0, 1]
    before = project(configuration, TILES)
    after = project(merge(configuration, {"methods": {"mean": {"ensemble": ensemble}}}), TILES)
    (key,) = ensemble
    assert repeated(before, after) == set(STAGES[f"methods.*.ensemble.{key}"])


CHANGES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "recipe": lambda overlay: {"datasets": {"town": {"recipe": overlay}}},
    "overrides": lambda overlay: {"methods": {"both": {"overrides": overlay}}},
    "overrides of a data set": lambda overlay: {"datasets": {"town": {"overrides": {"both": overlay}}}},
}
"""Places for changes of the recipe in a configuration."""


@pytest.mark.parametrize("place", ["specification", *CHANGES])
def test_an_overlay_repeats_the_stages_of_its_keys(place: str, configuration: dict[str, Any]) -> None:
    before = project(configuration, TILES)
    for overlay in ({"training": {"batch": 4}}, {"prediction": {"stride": 64}}, {"scoring": {"height_bins": [3]}}):
        if place == "specification":
            after = project(configuration, {**TILES, "recipe": overlay})
        else:
            after = project(merge(configuration, CHANGES[place](overlay)), TILES)
        ((first, keys),) = overlay.items()
        stages = set(STAGES[f"{first}.{next(iter(keys))}"])
        # An override of one method is none of the ensemble, which is another one.
        assert repeated(before, after) == stages - ({"describe_ensemble"} if "overrides" in place else set())


def test_network_of_methods_that_name_none_trains_them_again(configuration: dict[str, Any]) -> None:
    configuration["methods"]["both"]["model"] = None
    before, after = (project({**configuration, "model": name}, TILES) for name in ("net", "small"))
    assert repeated(before, after) == set(STAGES["methods.*.model"])
