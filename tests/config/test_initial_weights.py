"""Initial weights of models: names, files, and the encoders that they are of."""

import re
from typing import Any

import pytest
import yaml

from mtlaerial.config import load_project, merge, parse_project
from mtlaerial.config.file_kinds import read_configuration
from mtlaerial.errors import ConfigError
from support import tiny

PROJECT = {
    "run": {"datasets": ["town"], "methods": ["both"], "seeds": [0]},
    "datasets": {"town": {"spec": "town.yaml", "root": "town"}},
    "methods": {"both": {"tasks": ["semantics", "height"], "model": "net"}},
    "pretrained": {
        "dense": {"url": "a", "sha256": "0" * 64},
        "lite0": {"encoder": "efficientnet_lite0", "url": "a", "sha256": "0" * 64},
        "resnet": {"encoder": {"name": "timm", "model": "resnet18.a1_in1k"}, "url": "a", "sha256": "0" * 64},
    },
}
LITE = {"encoder": "efficientnet_lite0"}


def parse(model: dict[str, Any]) -> Any:
    return parse_project(merge(PROJECT, {"models": {"net": model}})).models["net"]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            {**LITE, "pretrained": "lite00"},
            "models.net.pretrained: found 'lite00'; expected one of none, dense, lite0, resnet, town, or a file or the "
            "folder of a run, which have a slash or end in .safetensors, .pth, .pt. Did you mean lite0?",
        ),
        (
            {"stem": 8, "pretrained": "twon"},
            "models.net.pretrained: found 'twon'; expected one of none, dense, lite0, resnet, town, or a file or the "
            "folder of a run, which have a slash or end in .safetensors, .pth, .pt. Did you mean town?",
        ),
        (
            {"pretrained": "lite0"},
            "models.net.pretrained: found lite0, weights of efficientnet_lite0; expected weights of the model's "
            "encoder, densenet121. Write dense.",
        ),
        (
            {"encoder": "efficientnet_lite1", "pretrained": {"source": "dense"}},
            "models.net.pretrained: found dense, weights of densenet121; expected weights of the model's encoder, "
            "efficientnet_lite1. Choose the encoder densenet121, or write none.",
        ),
        (
            {**LITE, "pretrained": {"source": "lite0", "parts": "all"}},
            "models.net.pretrained.parts: found all; expected encoder, as published weights are those of an encoder",
        ),
        (
            {"encoder": {"name": "timm", "model": "resnet34"}, "pretrained": "resnet"},
            "models.net.pretrained: found resnet, weights of timm/resnet18.a1_in1k; expected weights of the model's "
            "encoder, timm/resnet34. Choose the encoder timm/resnet18.a1_in1k, or write none.",
        ),
        (
            {**LITE, "pretrained": {"source": "none", "freeze": {"encoder": 1}}},
            "models.net.pretrained.source: found none; expected weights that are fine-tuned. Write pretrained: none in",
        ),
        (
            {**LITE, "pretrained": {"source": "weights/mine.pth", "parts": "trunk"}},
            "models.net.pretrained.parts: found trunk; expected encoder, as a file of weights has those of an encoder",
        ),
    ],
)
def test_weights_that_cannot_be_taken_are_refused_in_one_sentence(model: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse(model)


def test_weights_of_a_library_fit_the_model_that_they_name_whatever_their_tag() -> None:
    start = parse({"encoder": {"name": "timm", "model": "resnet18", "drop_path_rate": 0.1}, "pretrained": "resnet"})
    assert start.start.source == "resnet"


def test_weights_of_a_library_need_the_name_of_their_model() -> None:
    weights = {"pretrained": {"resnet": {"encoder": "timm"}}, "models": {"net": LITE}}
    with pytest.raises(ConfigError, match=re.escape("Write {name: timm, model: MODEL}.")):
        parse_project(merge(PROJECT, weights))


@pytest.mark.parametrize("source", ["lite0", "weights.pth", "some/folder", "./lite0.safetensors"])
def test_names_and_paths_are_told_apart(source: str) -> None:
    start = parse({**LITE, "pretrained": source}).start
    assert (start.source, start.is_path) == (source, source != "lite0")


def test_shipped_configuration_has_weights_for_networks_of_its_encoders() -> None:
    data = read_configuration(tiny.CONFIG / "config.yaml")
    for name, published in load_project(tiny.CONFIG / "config.yaml").pretrained.items():
        models = {"models": {"net": {"encoder": published.encoder, "pretrained": name}}}
        start = parse_project(merge(data, models)).models["net"].start
        assert start is not None
        assert start.source == name


def test_weights_of_the_documentation_are_described_as_the_configuration_needs_them() -> None:
    text = (tiny.CONFIG.parent / "docs" / "pretrained.md").read_text(encoding="utf-8")
    section = text.split("## Published weights of an encoder")[1].split("\n## ")[0]
    data = read_configuration(tiny.CONFIG / "config.yaml")
    blocks = [
        yaml.safe_load(block.replace("SHA256", "a" * 64)) for block in re.findall(r"```yaml\n(.*?)```", section, re.S)
    ]
    starts = [parse_project(merge(data, block)).models["mine"].start for block in blocks]
    assert [start and start.source for start in starts] == [
        "efficientnet_lite0",
        "swin_aerial",
        "regnet",
        "efficientnet_lite0",
    ]
    listed = set(re.findall(r"`(\w+)`", "".join(line for line in section.splitlines() if "ImageNet |" in line)))
    assert listed == set(data["pretrained"])
