"""D3Net: the paper's sizes, a trunk and heads, and outputs at the image's resolution."""

from collections import Counter
from typing import Any

import pytest
import torch
from torch import nn

import tiny
from mtlaerial.config import ModelSpec
from mtlaerial.models import build_model

OUTPUTS = {"semantics": 21, "height": 1}


def count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def small(**changes: Any) -> nn.Module:
    torch.manual_seed(0)
    return build_model(tiny.model_spec(**changes), 3, {"semantics": 5, "height": 1}).eval()


@pytest.fixture(scope="module")
def paper() -> nn.Module:
    return build_model(ModelSpec(), 3, {"height": 1, "semantics": 21})


def test_the_paper_s_network_has_as_many_parameters_as_the_original(paper: nn.Module) -> None:
    assert count(paper) == 24_692_224


def test_height_alone_without_skips_and_dropout_has_too() -> None:
    assert count(build_model(ModelSpec(skips=False, dropout=0.0), 3, {"height": 1})) == 21_394_496


def test_weights_have_the_shapes_of_the_original(paper: nn.Module) -> None:
    shapes = Counter(tuple(value.shape) for value in paper.state_dict().values())
    assert len(paper.state_dict()) == 824
    assert shapes[(64, 3, 3, 3)] == 1, "the stem"
    assert shapes[(64, 64, 4, 4)] == 1, "its strided convolution"
    assert shapes[(32, 128, 3, 3)] == 6 + 12 + 24 + 16, "dense layers"
    assert [shapes[(n, 2 * n, 1, 1)] for n in (128, 256, 512)] == [3, 1, 1], "transitions, and equal dense layers"
    assert [shapes[s] for s in ((1024, 512, 4, 4), (1024, 256, 4, 4), (512, 128, 4, 4))] == [1, 1, 1], "shared"
    assert [shapes[s] for s in ((256, 64, 4, 4), (128, 64, 4, 4))] == [2, 2], "a block of each kind per task"
    assert [shapes[s] for s in ((21, 64, 3, 3), (1, 64, 3, 3))] == [1, 1], "last convolutions"


def test_dropout_is_in_the_two_coarsest_shared_blocks_only(paper: nn.Module) -> None:
    places = {name.rsplit(".", 1)[0] for name, module in paper.named_modules() if isinstance(module, nn.Dropout)}
    assert places == {"trunk.block5", "trunk.block4"}
    assert not any(isinstance(module, nn.Dropout) for module in small(dropout=0.0).modules())


@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("reduction", [1, 2, 4])
def test_outputs_have_the_image_s_size(skips: bool, reduction: int) -> None:
    model = small(skips=skips, reduction=reduction)
    with torch.inference_mode():
        outputs = model(torch.randn(2, 3, 128, 256))
    assert {task: tuple(output.shape) for task, output in outputs.items()} == {
        "semantics": (2, 5, 128, 256),
        "height": (2, 1, 128, 256),
    }


def test_the_network_is_its_heads_on_its_trunk() -> None:
    model, image = small(), torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        features = model.trunk(image)
        assert [tuple(f.shape[2:]) for f in features] == [(16, 24), (32, 48)]
        for task, output in model(image).items():
            torch.testing.assert_close(output, model.heads[task](features), rtol=0, atol=0)


def test_without_skips_the_heads_see_one_scale() -> None:
    assert len(small(skips=False).trunk(torch.randn(1, 3, 64, 64))) == 1


def test_a_reduced_network_sees_means_of_squares() -> None:
    whole, reduced = small(), small(reduction=2)
    coarse = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        expected = whole(coarse)
        found = reduced(coarse.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3))
    for task in expected:
        enlarged = nn.functional.interpolate(expected[task], scale_factor=2.0, mode="bilinear", align_corners=False)
        torch.testing.assert_close(found[task], enlarged)


def test_each_task_trains_the_trunk_and_its_own_head() -> None:
    model = small()
    model(torch.randn(1, 3, 64, 64))["height"].sum().backward()
    assert all(p.grad is not None and bool((p.grad != 0).any()) for p in model.heads["height"].parameters())
    assert all(p.grad is None for p in model.heads["semantics"].parameters())
    assert all(p.grad is not None for p in model.trunk.parameters())


def test_any_number_of_bands() -> None:
    model = build_model(tiny.model_spec(), 5, {"height": 1}).eval()
    assert model(torch.randn(1, 5, 32, 32))["height"].shape == (1, 1, 32, 32)


def test_the_whole_window_is_seen() -> None:
    model = small()
    image = torch.randn(1, 3, 96, 96, requires_grad=True)
    model(image)["height"][0, 0, 48, 48].backward()
    assert image.grad is not None
    reached = (image.grad.abs().sum(dim=(0, 1)) > 0).nonzero()
    assert (reached.amin(dim=0) < 16).all()
    assert (reached.amax(dim=0) > 80).all()


def test_the_seed_decides_the_weights() -> None:
    one, other = small().state_dict(), small().state_dict()
    assert all(torch.equal(one[key], other[key]) for key in one)
