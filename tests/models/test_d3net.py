"""D3Net: a trunk and heads, and outputs at the image's resolution."""

from typing import Any

import pytest
import torch
from torch import nn

from mtlaerial.models import build_model
from support import tiny


def small(**changes: Any) -> nn.Module:
    torch.manual_seed(0)
    return build_model(tiny.model_spec(**changes), 3, {"semantics": 5, "height": 1}).eval()


def test_dropout_is_in_the_two_coarsest_shared_blocks_only() -> None:
    places = {name.rsplit(".", 1)[0] for name, module in small().named_modules() if isinstance(module, nn.Dropout)}
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
        outputs = reduced(coarse.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3))
    for task in expected:
        enlarged = nn.functional.interpolate(expected[task], scale_factor=2.0, mode="bilinear", align_corners=False)
        torch.testing.assert_close(outputs[task], enlarged)


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
    first, second = small().state_dict(), small().state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
