"""The adapter of a network for the blender: normalisation, stacked outputs, views, and class codes."""

import math
from typing import Any

import pytest
import torch

from mtlaerial.config import IGNORED, PredictionSpec
from mtlaerial.models.height_heads import LinearHead
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.prediction.blending.blender import Blender
from mtlaerial.prediction.map_network import MapNetwork, build_blender
from mtlaerial.prediction.map_values import class_codes

SPEC = PredictionSpec(window=64, stride=48, activation="softmax")


def test_normalisation_brings_the_range_to_one() -> None:
    values = torch.tensor([100.0, 200.0, 300.0, math.nan, math.inf, -math.inf])
    assert Normalisation(100, 300)(values).tolist() == [-1, 0, 1, 0, 0, 0]
    assert Normalisation(0, 255)(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1, 1]


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_scores_and_metres_are_stacked_in_the_order_of_the_outputs(activation: Any) -> None:
    logits, height = torch.randn(2, 3, 8, 8), torch.randn(2, 1, 8, 8)
    spec = SPEC.model_copy(update={"activation": activation})
    outputs = {"height": 1, "semantics": 3}
    network = MapNetwork(
        lambda image: [{"semantics": logits, "height": height}], Normalisation(0, 1), spec, outputs, LinearHead(5)
    )
    stacked = network(torch.zeros(2, 3, 8, 8))
    assert network.channels == 4
    torch.testing.assert_close(stacked[:, network.slice_of("height")], height * 5)
    expected = logits.softmax(1) if activation == "softmax" else logits.sigmoid()
    torch.testing.assert_close(stacked[:, network.slice_of("semantics")], expected)
    assert isinstance(build_blender(network, spec, 32, torch.device("cpu")), Blender)


def test_a_class_is_the_best_score_or_none() -> None:
    scores = torch.tensor([[[0.1, 0.5, math.nan]], [[0.3, 0.4, math.nan]]])
    assert class_codes(scores).tolist() == [[1, 0, IGNORED]]


def views_network(forward: Any) -> MapNetwork:
    spec = SPEC.model_copy(update={"views": ("mirror", "turns")})
    return MapNetwork(forward, Normalisation(-1, 1), spec, {"height": 1}, LinearHead(1))


def test_eight_views_of_a_network_that_sees_no_direction_agree() -> None:
    image = torch.rand(2, 3, 8, 8)
    heights = views_network(lambda view: [{"height": view[:, :1]}])(image)
    torch.testing.assert_close(heights, image[:, :1])


def test_eight_views_make_any_network_turn_with_its_image() -> None:
    weights = torch.randn(1, 3, 3, 3)
    network = views_network(lambda view: [{"height": torch.nn.functional.conv2d(view, weights, padding=1)}])
    image = torch.rand(1, 3, 8, 8)
    for turned in (lambda x: torch.rot90(x, 1, (-2, -1)), lambda x: x.flip(-1), lambda x: x.transpose(-2, -1)):
        torch.testing.assert_close(network(turned(image)), turned(network(image)))
