"""Networks in the configuration: the overlays that compare them, and checkpointing."""

from pathlib import Path

import pytest

from mtlaerial.config import D3NetSpec, merge
from mtlaerial.config.file_kinds import read_configuration
from mtlaerial.config.project import ProjectConfig, load_project, parse_project
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.errors import ConfigError

CONFIG = Path(__file__).parents[2] / "config"


def project(name: str) -> ProjectConfig:
    return load_project(*(CONFIG / f"{each}.yaml" for each in ("config", "autzen", name)))


@pytest.mark.parametrize("name", ["encoders", "decoders", "context"])
def test_each_method_has_a_network_of_its_own_and_the_scene_s_recipe(name: str) -> None:
    config = project(name)
    methods = config.selected("autzen")
    assert len({config.methods[method].model for method in methods}) == len(methods)
    for method in methods:
        recipe = recipe_in_force(config, {}, method, "autzen").training
        assert (recipe.schedule, recipe.precision, recipe.learning_rate) == ("warmup_cosine", "bf16-mixed", 1e-3)


def test_encoders_are_compared_by_their_weights_and_with_the_compact_network() -> None:
    config = project("encoders")
    imagenet, random, compact = (config.models[config.methods[name].model] for name in config.run.methods)
    assert imagenet.model_copy(update={"pretrained": "none"}) == random
    assert isinstance(compact, D3NetSpec)
    assert compact.stem == 48
    steps = {name: recipe_in_force(config, {}, name, "autzen").training.steps for name in config.run.methods}
    assert steps == {"lite0_imagenet": 1700, "lite0_random": 1700, "d3net_compact": 900}


def test_decoders_are_compared_with_the_same_encoder() -> None:
    config = project("decoders")
    models = [config.models[name] for name in config.run.methods]
    assert len({(model.encoder.name, str(model.pretrained)) for model in models}) == 1
    assert {recipe_in_force(config, {}, name, "autzen").training.steps for name in config.run.methods} == {600}
    choices = [(model.decoder.name, model.decoder.exchange) for model in models]
    assert choices == [("fusion", "none"), ("resize", "none"), ("fusion", "gated"), ("fusion", "attention")]


def test_contexts_are_compared_with_the_same_network_and_updates() -> None:
    config = project("context")
    plain, *wide = (config.models[name] for name in config.run.methods)
    assert [model.context_scale for model in (plain, *wide)] == [None, 2, 4, 8]
    assert {model.model_copy(update={"context": None}) for model in wide} == {plain}
    assert {recipe_in_force(config, {}, name, "autzen").training.steps for name in config.run.methods} == {1200}


@pytest.mark.parametrize("encoder", ["efficientnet_lite0", "swin_v2_t"])
def test_checkpointing_is_refused_where_it_would_save_nothing(encoder: str) -> None:
    data = merge(
        read_configuration(CONFIG / "config.yaml"),
        {"models": {"net": {"encoder": encoder}}, "methods": {"equal": {"model": "net"}}},
        {"training": {"checkpointing": True}},
    )
    with pytest.raises(ConfigError, match=r"training.checkpointing: found true; expected false, as no stage") as raised:
        recipe_in_force(parse_project(data), {}, "equal")
    assert "training.accumulate" in str(raised.value)
    data["models"]["net"] = {"encoder": "densenet121"}
    assert recipe_in_force(parse_project(data), {}, "equal").training.checkpointing
