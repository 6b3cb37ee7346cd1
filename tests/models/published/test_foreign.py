"""Weights of whole networks of timm and torchvision, taken over by our encoders."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from mtlaerial.errors import DataError
from mtlaerial.models.encoders.extra import import_extra
from mtlaerial.models.encoders.timm_encoder import timm_encoder
from mtlaerial.models.encoders.torchvision_encoder import torchvision_encoder
from mtlaerial.models.published.foreign import timm_form, torchvision_form


@pytest.mark.extras("timm")
@pytest.mark.parametrize("model", ["resnet18", "convnext_atto", "swinv2_cr_tiny_ns_224"])
def test_weights_of_timm_give_the_features_of_the_whole_network(model: str) -> None:
    network = import_extra("timm").create_model(model, pretrained=False).eval()
    encoder = timm_encoder(3, model).eval()
    encoder.load_state_dict(timm_form(model).convert(network.state_dict()))
    side = 224 if "swin" in model else 96
    image = torch.randn(1, 3, side, side)
    with torch.no_grad():
        torch.testing.assert_close(encoder(image)[-1], network.forward_intermediates(image)[1][-1])


@pytest.mark.extras("torchvision")
@pytest.mark.parametrize(("model", "node"), [("resnet18", "layer4"), ("mobilenet_v3_small", "features")])
def test_weights_of_torchvision_give_the_features_of_the_whole_network(model: str, node: str) -> None:
    network = import_extra("torchvision").models.get_model(model, weights=None).eval()
    encoder = torchvision_encoder(3, model).eval()
    encoder.load_state_dict(torchvision_form(model).convert(network.state_dict()))
    features: list[Tensor] = []
    network.get_submodule(node).register_forward_hook(lambda _, __, output: features.append(output))
    image = torch.randn(1, 3, 96, 64)
    with torch.no_grad():
        network(image)
        torch.testing.assert_close(encoder(image)[-1], features[0])


@pytest.mark.extras("timm")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda tensors: tensors.pop("layer1.0.bn1.bias"),
            "layer1.0.bn1.bias: found no such tensor; expected the shape",
        ),
        (
            lambda tensors: tensors.update(extra=torch.ones(1)),
            "extra: found a tensor; expected none of this name in resn",
        ),
        (
            lambda tensors: tensors.update({"conv1.weight": torch.ones(64, 4, 7, 7)}),
            r"conv1.weight: found the shape \(64, 4, 7, 7\); expected the shape \(64, 3, 7, 7\). Get the",
        ),
    ],
)
def test_other_weights_are_refused(change: Callable[[dict[str, Any]], object], words: str) -> None:
    tensors = dict(import_extra("timm").create_model("resnet18", pretrained=False).state_dict())
    change(tensors)
    with pytest.raises(DataError, match=f"^{words}"):
        timm_form("resnet18").convert(tensors)


@pytest.mark.extras("timm")
def test_the_values_that_weights_expect_are_timms() -> None:
    expected = [timm_form(model).input for model in ("resnet18", "vit_base_patch16_224.augreg_in21k")]
    assert expected[0] is not None
    assert expected[0].mean == pytest.approx((123.675, 116.28, 103.53))
    assert expected[1] is not None
    assert (expected[1].mean, expected[1].deviation) == ((127.5,) * 3, (127.5,) * 3)
