"""Height heads: the heights that given channels mean, and the labels that heights become."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Laplace, Normal

from mtlaerial.config import TrainingSpec
from mtlaerial.config.height_head import BinsSpec, HeightOfBins, height_channels
from mtlaerial.models.height_heads import BinsHead, HeadWithScale, HeightHead, build_height_head
from mtlaerial.models.height_heads.bins import bin_centres
from support.losses import HEADS


def head_of(unit: float = 5, shown: HeightOfBins = "expectation", **keys: Any) -> HeightHead:
    return build_height_head(TrainingSpec(height_unit=unit, **keys), shown)


def bins_head(unit: float = 5, shown: HeightOfBins = "expectation", **keys: Any) -> BinsHead:
    head = head_of(unit, shown, height_head={"name": "bins", **keys}, height_loss="likelihood")
    assert isinstance(head, BinsHead)
    return head


def column(*values: float) -> Tensor:
    """Return the output of a single pixel."""
    return torch.tensor(values).reshape(1, -1, 1, 1)


@pytest.mark.parametrize(
    ("keys", "output", "units"),
    [
        ({}, (-0.5,), -0.5),
        ({"height_non_negative": True}, (0.0,), 0.6931472),  # log 2
        ({"height_non_negative": True}, (-9.0,), 0.0001234),
        ({"height_head": "log1p"}, (1.0,), 1.7182818),  # e - 1
        ({"height_head": "log1p"}, (-1.0,), -1.7182818),
        ({"height_head": "log1p", "height_non_negative": True}, (-1.0,), 0.3678794),  # exp(log(1 + 1/e)) - 1
        ({"height_head": "laplace", "height_loss": "likelihood"}, (-2.5, 7.0), -2.5),
        ({"height_head": "gaussian", "height_loss": "likelihood"}, (-2.5, 7.0), -2.5),
    ],
)
def test_channels_mean_these_heights(keys: dict[str, Any], output: tuple[float, ...], units: float) -> None:
    values = head_of(**keys).values(column(*output))
    assert values.shape == (1, 1, 1, 1)
    assert values.item() == pytest.approx(units, rel=1e-4)


@pytest.mark.parametrize("keys", HEADS.values(), ids=HEADS)
def test_values_have_the_shape_of_the_output_and_the_unit_of_the_recipe(keys: dict[str, Any]) -> None:
    head = head_of(**keys)
    output = torch.randn(2, height_channels(TrainingSpec(**keys).height_head), 5, 7)
    assert head.values(output).shape == (2, 1, 5, 7)
    assert head.unit == 5


@pytest.mark.parametrize("keys", [{}, HEADS["bins"], HEADS["laplace"], HEADS["gaussian"]])
def test_heights_are_never_negative_where_that_is_asked_for(keys: dict[str, Any]) -> None:
    head = head_of(**{"height_non_negative": True, **keys})
    output = 30 * torch.randn(1, height_channels(TrainingSpec(**keys).height_head), 50, 50)
    assert head.values(output).min() >= 0


@pytest.mark.parametrize(
    ("name", "distribution"),
    [
        ("laplace", lambda second: Laplace(0.0, second.exp() + 0.01)),
        ("gaussian", lambda second: Normal(0.0, (second.exp() + 0.01**2).sqrt())),
    ],
)
def test_variances_are_those_of_the_distribution(name: str, distribution: Any) -> None:
    output = torch.linspace(-20, 4, 24).reshape(1, 2, 3, 4)
    head = head_of(**HEADS[name])
    assert isinstance(head, HeadWithScale)
    torch.testing.assert_close(head.variance(output)[:, 0], distribution(output[:, 1]).variance, rtol=1e-4, atol=0)


@pytest.mark.parametrize(
    ("spacing", "centres"),
    [("linear", [0, 4, 8]), ("log", [0, 2, 8]), ("mixed", [0, 3, 8])],
)
def test_centres_are_spaced_as_asked(spacing: Any, centres: list[float]) -> None:
    assert bin_centres(BinsSpec(count=3, largest=8, spacing=spacing)).tolist() == pytest.approx(centres)


@pytest.mark.parametrize("softness", [0, 0.4, 1, 3])
@pytest.mark.parametrize("spacing", ["linear", "log", "mixed"])
def test_the_expectation_of_a_soft_label_is_the_height(spacing: str, softness: float) -> None:
    head = bins_head(count=16, largest=60, spacing=spacing, softness=softness)
    heights = torch.tensor([[[-3.0, 0, 0.01, 0.4, 1], [2.7, 5.1, 11.9, 12, 40]]])
    labels = head.soft_labels(heights)
    assert labels.min() >= 0
    torch.testing.assert_close(labels.sum(dim=1), torch.ones(1, 2, 5))
    expected = heights.clamp(0, 12)  # 60 m
    torch.testing.assert_close(head.values(labels.clamp(min=1e-30).log())[:, 0], expected, rtol=1e-4, atol=1e-4)


def test_softness_is_the_deviation_of_a_label_in_bins() -> None:
    head = bins_head(unit=1, count=61, largest=60, spacing="linear", softness=3)
    label = head.soft_labels(torch.full((1, 1, 1), 30.0)).flatten()
    places = torch.arange(61.0)
    assert (label * (places - 30) ** 2).sum().sqrt().item() == pytest.approx(3, rel=1e-4)
    assert (label.diff()[:30] >= 0).all()
    assert (label.diff()[30:] <= 0).all()


def test_the_median_of_a_label_between_two_bins_is_the_height() -> None:
    head = bins_head(shown="median", count=16, largest=60, softness=0)
    heights = torch.linspace(0, 12, 40).reshape(1, 1, 40)
    scores = head.soft_labels(heights).clamp(min=1e-30).log()
    torch.testing.assert_close(head.values(scores)[:, 0], heights, rtol=1e-4, atol=1e-4)


def test_the_median_is_not_moved_by_a_tail_that_moves_the_expectation() -> None:
    """Bins at 0, 10, 20, 30 m: nine tenths at 0 and 10 m, one tenth moved from 20 to 30 m."""
    near, far = column(0.4, 0.5, 0.1, 1e-9).log(), column(0.4, 0.5, 1e-9, 0.1).log()
    options = {"count": 4, "largest": 30, "spacing": "linear"}
    medians, expectations = (
        [head.values(scores).item() for scores in (near, far)]
        for head in (bins_head(1, "median", **options), bins_head(1, **options))
    )
    assert medians[0] == pytest.approx(medians[1], abs=1e-4)
    assert medians[0] == pytest.approx(10 * (0.5 - 0.2) / (0.65 - 0.2), rel=1e-4)
    assert expectations == pytest.approx([7, 8], rel=1e-4)
