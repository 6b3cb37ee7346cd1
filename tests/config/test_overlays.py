"""Files of a configuration: what is no YAML, how overlays are merged, and those that are shipped."""

from pathlib import Path

import pytest
import yaml

from mtlaerial.config import Recipe, load_dataset, load_project, merge, read_yaml
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.errors import ConfigError
from support import tiny
from support.configurations import BASE

OVERLAYS = sorted(set(tiny.CONFIG.glob("*.yaml")) - {BASE})


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
