"""Networks that fulfil the contract of networks: all encoders, all decoders, all kinds of exchange."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest
from _pytest.mark import ParameterSet
from pydantic import TypeAdapter
from torch import Tensor, nn

from mtlaerial.config import ModelSpec, NetworkSpec
from mtlaerial.config.encoder import ENCODERS
from mtlaerial.models import Network, build_model
from mtlaerial.models.encoders.encoder import Encoder
from mtlaerial.runs.plan import RunPlan
from support import tiny

OF_EXTRAS = {"timm", "torchvision"}
"""Encoders of packages that the tests' environment lacks."""
SMALL = {"channels": 12, "head": 8}
"""A decoder of few channels."""
_MODELS: TypeAdapter[NetworkSpec] = TypeAdapter(ModelSpec)


class SmallEncoder(Encoder):
    """A strided convolution per scale."""

    def __init__(self, bands: int, strides: Sequence[int]) -> None:
        super().__init__()
        self.strides = tuple(strides)
        self.channels = tuple(range(4, 4 + len(strides)))
        self.scales = nn.ModuleList()
        for (entry, out), (fine, coarse) in zip(
            pairwise((bands, *self.channels)), pairwise((1, *self.strides)), strict=True
        ):
            self.scales.append(nn.Sequential(nn.Conv2d(entry, out, coarse // fine, coarse // fine), nn.Tanh()))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        features = [image]
        for scale in self.scales:
            features.append(scale(features[-1]))
        return tuple(features[1:])

    @property
    def first_convolution(self) -> nn.Conv2d:
        return self.scales[0][0]

    def stages(self) -> list[nn.Module]:
        return list(self.scales)


def small_encoder(bands: int, strides: Sequence[int] = (2, 4, 8, 16, 32)) -> SmallEncoder:
    return SmallEncoder(bands, strides)


# Here, for processes that tests start as well.
ENCODERS.builtin["small"] = "support.networks:small_encoder"  # type: ignore[index]


def _small(strides: Sequence[int] | None = None, **decoder: Any) -> dict[str, Any]:
    encoder = {"name": "small", **({"strides": strides} if strides else {})}
    return {"encoder": encoder, "decoder": {**SMALL, **decoder}}


SMALLEST: dict[str, Mapping[str, Any]] = {
    "d3net": tiny.MODEL,
    "fusion": _small(name="fusion"),
    "resize of 4 to 32": _small((4, 8, 16, 32), name="resize", exchange="attention"),
    "gated": {**_small(exchange="gated"), "reduction": 2},
    "context": {**_small(), "context": {"scale": 4, "channels": 6}},
    "finest 1": {**_small(finest=1, exchange="gated"), "reduction": 2, "context": {"scale": 2, "channels": 6}},
}
"""Configurations of networks for the quick tier by name."""
FURTHER: dict[str, Mapping[str, Any]] = {
    "resize": _small(name="resize"),
    "attention": _small(exchange="attention"),
    "fusion of 4 to 32": _small((4, 8, 16, 32), name="fusion", exchange="gated"),
    "fusion of 1, 8, 32": _small((1, 8, 32), name="fusion"),
    "context 8 of 1, 8, 32": {**_small((1, 8, 32)), "context": {"scale": 8}, "reduction": 2},
    "context 2 of 4 to 32": {**_small((4, 8, 16, 32), name="resize", exchange="gated"), "context": {"scale": 2}},
    "lite0 context": {"encoder": "efficientnet_lite0", "context": {}},
    "finest 1 of 4 to 32": _small((4, 8, 16, 32), name="resize", finest=1, exchange="attention"),
    "finest 1 of 2 to 32": _small(finest=1),
    "finest 1 of 1, 8, 32": _small((1, 8, 32), finest=1),
    "lite0 finest 1": {"encoder": "efficientnet_lite0", "decoder": {"finest": 1}},
    "default": {},
    **{name: {"encoder": name} for name in ENCODERS.builtin if name not in {*OF_EXTRAS, "small"}},
    "lite0 resize": {"encoder": "efficientnet_lite0", "decoder": "resize"},
    "lite0 gated": {"encoder": "efficientnet_lite0", "decoder": {"exchange": "gated"}},
    "lite0 attention": {"encoder": "efficientnet_lite0", "decoder": {"exchange": "attention"}},
    "swin attention": {"encoder": "swin_v2_t", "decoder": {"exchange": "attention"}},
}
"""Configurations of further small and of whole networks by name."""
EXTRAS: dict[str, Mapping[str, Any]] = {
    f"{package} {model}": {"encoder": {"name": package, "model": model}, "decoder": SMALL}
    for package, models in (
        ("timm", ("resnet18", "convnext_atto", "mobilenetv3_small_050")),
        ("torchvision", ("resnet18", "regnet_y_400mf", "mobilenet_v3_small")),
    )
    for model in models
}
"""Configurations of networks whose encoders need an extra; names begin with it."""


def _of_extras(*names: str) -> list[ParameterSet]:
    marks = {name: [pytest.mark.full("needs an extra"), pytest.mark.extras(name.split()[0])] for name in names}
    return [pytest.param(name, marks=marks[name]) for name in names]


EVERY = [
    *SMALLEST,
    *(pytest.param(name, marks=pytest.mark.full("one of each kind is enough")) for name in FURTHER),
    *_of_extras(*EXTRAS),
]
"""Names of all of them for ``parametrize``."""
LOSSES: dict[str, Mapping[str, Any]] = {
    "gated, bins": {
        "height_head": {"name": "bins", "count": 12, "largest": 30},
        "height_loss": "likelihood",
        "height_gradient": 0.5,
        "semantic_loss": {"cross_entropy": 1, "lovasz": 0.5},
    },
    "gated, laplace": {
        "height_head": "laplace",
        "height_loss": "likelihood",
        "height_non_negative": True,
        "height_balance": "by_height",
        "semantic_loss": {"focal": 1, "dice": 1},
    },
    "gated, gaussian": {"height_head": "gaussian", "height_loss": "likelihood", "height_gradient": 0.5},
    "gated, log1p": {"height_head": "log1p", "height_loss": "huber", "label_smoothing": 0.1},
}
"""Keys of ``training`` by the name of a network, followed by that of a height head."""
RUNS = [
    "gated",
    *(pytest.param(name, marks=pytest.mark.full("one head is enough")) for name in LOSSES),
    *(
        pytest.param(name, marks=pytest.mark.full("trains a large network"))
        for name in ("resize of 4 to 32", "context", "finest 1", "efficientnet_lite0", "convnext_tiny", "swin_v2_t")
    ),
    *_of_extras("timm convnext_atto", "torchvision resnet18"),
]
"""Names of those that are trained: the smallest of each kind."""
OUTPUTS = {"semantics": 5, "height": 1}


def network_spec(name: str, **changes: Any) -> NetworkSpec:
    """Return the specification of a network by its name here."""
    network = name.partition(", ")[0] if name in LOSSES else name
    return _MODELS.validate_python({**{**SMALLEST, **FURTHER, **EXTRAS}[network], **changes})


def built(name: str, bands: int = 3, outputs: Mapping[str, int] = OUTPUTS, **changes: Any) -> Network:
    """Return a network by its name here."""
    return build_model(network_spec(name, **changes), bands, outputs)


def plan(name: str, **changes: Any) -> RunPlan:
    """Return a plan that trains a network by its name here, on patches of 64 pixels."""
    training = {"patch": 64, "epochs": 2, **LOSSES.get(name, {}), **changes}
    return tiny.run_plan(**training).model_copy(update={"model": network_spec(name)})
