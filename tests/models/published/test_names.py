"""Published weights of ConvNeXt and Swin V2 under our names, by names and shapes."""

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor

from mtlaerial.errors import DataError
from mtlaerial.models.published.form import published_form
from mtlaerial.models.published.renaming import IMAGENET
from support.torchvision_networks import CONVNEXT, SWIN_V2, convnext_shapes, empty_tensors, swin_v2_shapes

Convert = Callable[[Mapping[str, Tensor]], dict[str, Tensor]]

TENSORS = {
    **{f"convnext_{size}": empty_tensors(convnext_shapes(*sizes)) for size, sizes in CONVNEXT.items()},
    **{f"swin_v2_{size}": empty_tensors(swin_v2_shapes(*sizes)) for size, sizes in SWIN_V2.items()},
}
CONVERTERS: dict[str, Convert] = {name: published_form(name).convert for name in TENSORS}
CLASSIFIER = ("classifier.", "norm.", "head.")
CONSTANT = ("relative_coords_table", "relative_position_index")


def number_of(tensor: Tensor) -> float:
    """Return the number that a tensor of :func:`empty_tensors` has in all places."""
    return float(tensor.flatten()[0])


@pytest.mark.parametrize("name", CONVERTERS)
def test_each_tensor_but_the_classifier_s_has_one_place(name: str) -> None:
    converted, published = CONVERTERS[name](TENSORS[name]), TENSORS[name]
    numbers = sorted(number_of(tensor) for tensor in converted.values())
    names = [key for key in published if not key.startswith(CLASSIFIER) and not key.endswith(CONSTANT)]
    assert numbers == sorted(number_of(published[key]) for key in names)


@pytest.mark.parametrize("name", ["convnext_tiny", "swin_v2_t"])
def test_the_classifier_may_be_missing(name: str) -> None:
    backbone = {key: tensor for key, tensor in TENSORS[name].items() if not key.startswith(CLASSIFIER)}
    assert CONVERTERS[name](backbone).keys() == CONVERTERS[name](TENSORS[name]).keys()


def test_aerial_weights_as_their_authors_publish_them_are_taken_too() -> None:
    published = {f"backbone.backbone.{key}": tensor for key, tensor in TENSORS["swin_v2_b"].items()}
    published["intermediates.0.layer.weight"] = torch.zeros(3)
    expected = CONVERTERS["swin_v2_b"](TENSORS["swin_v2_b"])
    converted = CONVERTERS["swin_v2_b"](published)
    assert converted.keys() == expected.keys()
    assert all(torch.equal(converted[key], expected[key]) for key in expected)


@pytest.mark.parametrize(
    ("name", "tensor", "shape", "message"),
    [
        (
            "convnext_tiny", "features.5.8.layer_scale", None,
            r"5\.8\.layer_scale: found no such tensor; expected the shape \(384, 1, 1\)\. Get .*convnext_tiny anew",
        ),
        (
            "convnext_tiny", "features.0.0.weight", (96, 4, 4, 4),
            r"features\.0\.0\.weight: found the shape \(96, 4, 4, 4\); expected the shape \(96, 3, 4, 4\)",
        ),
        ("swin_v2_b", "features.7.1.mlp.3.weight", None, r"mlp\.3\.weight: found no such tensor; .*\(1024, 4096\)"),
        ("swin_v2_b", "features.1.0.attn.logit_scale", (4,), r"logit_scale: found the shape \(4,\); .*\(4, 1, 1\)"),
        ("swin_v2_b", "features.8.norm.weight", (3,), r"features\.8\.norm\.weight: found a tensor; expected none"),
    ],
)  # fmt: skip
def test_a_tensor_that_does_not_fit_is_named(
    name: str, tensor: str, shape: tuple[int, ...] | None, message: str
) -> None:
    published = {key: value for key, value in TENSORS[name].items() if key != tensor}
    if shape:
        published[tensor] = torch.zeros(shape)
    with pytest.raises(DataError, match=message):
        CONVERTERS[name](published)


@pytest.mark.parametrize(("weights", "encoder"), [("convnext_small", "convnext_tiny"), ("swin_v2_s", "swin_v2_t")])
def test_weights_of_a_deeper_network_are_refused(weights: str, encoder: str) -> None:
    with pytest.raises(DataError, match=r"found a tensor; expected none of this name"):
        CONVERTERS[encoder](TENSORS[weights])


def test_the_image_of_imagenet() -> None:
    """As torchvision gives its mean and deviation, for values of 0 to 1."""
    assert IMAGENET.mean == pytest.approx([255 * value for value in (0.485, 0.456, 0.406)])
    assert IMAGENET.deviation == pytest.approx([255 * value for value in (0.229, 0.224, 0.225)])
