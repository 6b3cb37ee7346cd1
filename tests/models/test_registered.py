"""Networks and encoders of other packages that do not work are named, with what is wrong about them."""

import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from mtlaerial.config import EncoderDecoderSpec, PackagedSpec
from mtlaerial.config.encoder import ENCODERS, NETWORKS
from mtlaerial.config.registry import Registry
from mtlaerial.errors import ConfigError
from mtlaerial.models import Encoder, Network, build_model
from mtlaerial.models.encoders.extra import import_extra
from mtlaerial.models.registered import build_registered
from support import networks, packages


@pytest.mark.parametrize(
    ("registry", "kind", "name", "words"),
    [
        (NETWORKS, Network, "absent", "model absent: found AttributeError: .*; expected an object at broken:missing."),
        (NETWORKS, Network, "no_module", "model no_module: found ModuleNotFoundError: .*; expected an object at br"),
        (ENCODERS, Encoder, "layers", r"encoder layers: found a Conv2d; expected a \S+.Encoder. Correct the package"),
        (ENCODERS, Encoder, "densenet121", r"encoder densenet121: found TypeError: .* for bands: 3, reduction: 1; exp"),
    ],
)  # fmt: skip
def test_what_is_registered_wrongly_is_named(
    registry: Registry, kind: type, name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages.install_broken(tmp_path, monkeypatch)
    with pytest.raises(ConfigError, match=words):
        build_registered(registry, name, kind, {} if name == "layers" else {"reduction": 1}, bands=3)


@pytest.mark.parametrize("option", ["bands", "kind", "registry", "options"])
def test_an_option_that_no_encoder_has_is_one_sentence(option: str) -> None:
    """Also one that has the name of what every encoder is given, or of what builds it."""
    spec = EncoderDecoderSpec.parse({"encoder": {"name": "efficientnet_lite0", option: "x"}}, "model")
    with pytest.raises(ConfigError, match=rf"found TypeError: .*{option}.*; expected options that .* takes"):
        build_model(spec, 3, {"height": 1})


@pytest.mark.parametrize("option", ["bands", "outputs", "name"])
def test_an_option_that_no_network_has_is_one_sentence(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "mtlaerial.config.registry.Registry.targets", lambda self: {"net": "mtlaerial.models.d3net:D3Net"}
    )
    spec = PackagedSpec.parse({"name": "net", "options": {option: "x"}}, "model")
    with pytest.raises(ConfigError, match=rf"model net: found TypeError: .*{option}.*; expected options that"):
        build_model(spec, 3, {"height": 1})


@pytest.mark.parametrize("task", ["type", "values", "training"])
def test_a_task_with_a_name_of_torch_is_one_sentence(task: str) -> None:
    with torch.device("meta"), pytest.raises(ConfigError, match=f"^task {task}: found a name that modules of torch"):
        build_model(networks.network_spec("gated"), 3, {"height": 1, task: 1})


class OfItsOwn(Network):
    """A network of another package that does what it likes with what it is asked for."""

    def __init__(self, bands: int, outputs: dict[str, int], tasks: list[str], reduction: int, dropout: float) -> None:
        super().__init__(torch.nn.Identity(), {task: torch.nn.Conv2d(1, 1, 1) for task in tasks}, reduction=2)


@pytest.mark.parametrize(
    ("reduction", "tasks", "words"),
    [
        (2, ["height", "semantics"], "heads for height, semantics; expected semantics, height, in this order"),
        (2, ["semantics"], "heads for semantics; expected semantics, height"),
        (1, ["semantics", "height"], "the reduction 2; expected 1, as given"),
        (2, ["semantics", "height"], None),
    ],
)
def test_a_network_has_what_it_is_asked_for(
    reduction: int, tasks: list[str], words: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Losses, weights and columns are matched by the order of the tasks."""
    monkeypatch.setattr("mtlaerial.config.registry.Registry.targets", lambda self: {"own": ""})
    monkeypatch.setattr("mtlaerial.config.registry.Registry.load", lambda self, name: OfItsOwn)
    spec = PackagedSpec.parse({"name": "own", "options": {"tasks": tasks}, "reduction": reduction}, "model")
    with torch.device("meta"), pytest.raises(ConfigError, match=words) if words else nullcontext():
        assert build_model(spec, 3, {"semantics": 5, "height": 1}).tasks == ("semantics", "height")


@pytest.mark.parametrize("strides", [[1, 2], [4, 64], [4, 12], [4, 4], []])
def test_scales_that_no_decoder_joins_are_refused(strides: list[int]) -> None:
    model = {"encoder": {"name": "small", "strides": strides}, "decoder": networks.SMALL}
    with torch.device("meta"), pytest.raises(ConfigError, match=r"^encoder small: found strides \(.*; expected ascend"):
        build_model(EncoderDecoderSpec.parse(model, "model"), 3, {"height": 1})


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import a_package_that_it_needs", "found no package a_package_that_it_needs; expected what torchvision needs"),
        (
            "raise RuntimeError('operator torchvision::nms does not exist')",
            "found torchvision, whose import fails with RuntimeError: operator torchvision::nms does not exist; "
            "expected a version that fits the installed torch. Install both anew with: pip install",
        ),
    ],
)
def test_an_extra_that_does_not_fit_is_named(
    code: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torchvision.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    with pytest.raises(ConfigError, match=f"^encoder torchvision: {words}"):
        import_extra("torchvision")
