"""Known values of the losses: closed forms, scikit-learn, torch's distributions, and brute force."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, jaccard_score
from torch import Tensor
from torch.distributions import Categorical, Laplace, Normal, kl_divergence
from torch.nn.functional import softplus

from mtlaerial.config import IGNORED
from mtlaerial.errors import ConfigError
from mtlaerial.rasters.geotiff import map_raster
from mtlaerial.sampling import Batch
from mtlaerial.tiles.statistics import HEIGHT_EDGES, Statistics
from mtlaerial.training.height_balance import height_weights
from support import losses as recipes
from support.losses import CLASS_WEIGHTS, CLASSES, losses_of, random_batch, random_output, spec_of
from support.tiny import Folders

ONES = torch.ones(CLASSES)


def value(task: str, output: Tensor, batch: Batch, weights: Tensor = CLASS_WEIGHTS, **keys: object) -> float:
    return losses_of(task, keys, weights=weights)({task: output}, batch)[task].item()


def test_smoothed_labels_have_the_entropy_of_a_weighted_mixture() -> None:
    batch, output = random_batch(), random_output("semantics", {})
    measured = batch.labels != IGNORED
    logs = output.log_softmax(1).movedim(1, -1)[measured].detach().double()
    codes = batch.labels[measured].long()
    weights = CLASS_WEIGHTS.double()
    rows = torch.arange(len(codes))
    entropy = -0.9 * weights[codes] * logs[rows, codes] - 0.1 / CLASSES * (weights * logs).sum(dim=1)
    counted = weights[codes] > 0
    expected = entropy[counted].sum() / weights[codes].sum()
    assert value("semantics", output, batch, label_smoothing=0.1) == pytest.approx(expected.item(), rel=1e-5)


def test_the_focal_loss_is_its_equation() -> None:
    batch, output = random_batch(), random_output("semantics", {})
    measured = batch.labels != IGNORED
    codes = batch.labels[measured].long()
    p = output.softmax(1).movedim(1, -1)[measured][torch.arange(len(codes)), codes].detach().double()
    weights = CLASS_WEIGHTS.double()[codes]
    expected = (weights * -((1 - p) ** 2) * p.log()).sum() / weights.sum()
    assert value("semantics", output, batch, semantic_loss="focal") == pytest.approx(expected.item(), rel=1e-5)


def certain(seed: int) -> tuple[Tensor, Batch]:
    """Return an output that is certain of a class everywhere, and the labels of one patch."""
    generator = torch.Generator().manual_seed(seed)
    predicted, labels = torch.randint(0, CLASSES, (2, 1, 8, 8), generator=generator)
    labels[torch.rand(1, 8, 8, generator=generator) < 0.2] = IGNORED
    output = 60.0 * (predicted[:, None] == torch.arange(CLASSES)[:, None, None])
    return output, Batch(torch.zeros(1, 3, 8, 8), torch.zeros(1, 8, 8), labels.byte())


@pytest.mark.parametrize(("name", "score"), [("lovasz", jaccard_score), ("dice", f1_score)])
def test_of_certain_predictions_lovasz_is_one_minus_iou_and_dice_one_minus_f1(name: str, score: object) -> None:
    for seed in range(3):
        output, batch = certain(seed)
        measured = (batch.labels != IGNORED).numpy()
        true, predicted = batch.labels.numpy()[measured], output.argmax(1).numpy()[measured]
        expected = 1 - score(true, predicted, labels=np.unique(true), average="macro")  # type: ignore[operator]  # sklearn
        assert value("semantics", output, batch, ONES, semantic_loss=name) == pytest.approx(expected, abs=1e-6)


def test_dice_of_uncertain_predictions_has_squares_below_the_line() -> None:
    """p = (0.8, 0.4), t = (1, 0) for the first class: 1 - 2 * 0.8 / (0.64 + 0.16 + 1); and likewise for the second."""
    output = torch.tensor([[0.8, 0.4], [0.2, 0.6]]).log().reshape(1, 2, 1, 2)
    batch = Batch(torch.zeros(1, 3, 1, 2), torch.zeros(1, 1, 2), torch.tensor([[[0, 1]]], dtype=torch.uint8))
    both = value("semantics", output, batch, torch.ones(2), semantic_loss="dice")
    assert both == pytest.approx(1 - (1.6 / 1.8 + 1.2 / (0.04 + 0.36 + 1)) / 2, rel=1e-5)


def iou_loss(wrong: set[int], true: set[int]) -> float:
    """Return 1 - IoU of a class where some pixels are wrong."""
    return len(wrong) / len(true | wrong)


def test_lovasz_is_the_extension_of_the_iou_by_brute_force() -> None:
    """The sum over pixels by falling error of the error times the growth of 1 - IoU."""
    output = torch.randn(1, CLASSES, 3, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.randint(
        0, 3, (1, 3, 4), generator=torch.Generator().manual_seed(1)
    ).byte()  # the last class is absent
    labels[0, 0, :2] = IGNORED
    batch = Batch(torch.zeros(1, 3, 3, 4), torch.zeros(1, 3, 4), labels)
    probabilities, codes = output.softmax(1).flatten(2)[0].double(), labels.flatten().tolist()
    expected = []
    for code in range(3):
        true = {index for index, label in enumerate(codes) if label == code}
        errors = {index: abs((label == code) - float(probabilities[code, index])) for index, label in enumerate(codes)}
        order = sorted((index for index, label in enumerate(codes) if label != IGNORED), key=lambda i: -errors[i])
        sets = [set(order[:count]) for count in range(len(order) + 1)]
        growth = [iou_loss(after, true) - iou_loss(before, true) for before, after in pairwise(sets)]
        expected.append(sum(errors[index] * step for index, step in zip(order, growth, strict=True)))
    assert value("semantics", output, batch, ONES, semantic_loss="lovasz") == pytest.approx(np.mean(expected), rel=1e-5)


def test_several_losses_are_added_with_their_weights() -> None:
    batch, output = random_batch(), random_output("semantics", {})
    parts = [value("semantics", output, batch, semantic_loss=name) for name in ("cross_entropy", "dice", "lovasz")]
    total = value("semantics", output, batch, **recipes.SEMANTICS["several"])
    assert total == pytest.approx(parts[0] + 0.5 * parts[1] + 0.25 * parts[2], rel=1e-6)


def test_the_likelihood_of_laplace_is_that_of_torch_above_its_least_value() -> None:
    batch, keys = random_batch(), recipes.HEADS["laplace"]
    output = random_output("height", keys)
    measured = batch.height.isfinite()
    median, scale = (channel[measured].detach() for channel in output.unbind(1))
    expected = -Laplace(median, scale.exp() + 0.01).log_prob(batch.height[measured] / 5).mean() - math.log(2 * 0.01)
    assert value("height", output, batch, **keys) == pytest.approx(expected.item(), rel=1e-5)


def test_the_likelihood_of_gaussian_is_that_of_torch_above_its_least_value() -> None:
    batch, keys = random_batch(), recipes.HEADS["gaussian"]
    output = random_output("height", keys)
    measured = batch.height.isfinite()
    mean, log_variance = (channel[measured].detach() for channel in output.unbind(1))
    deviation = (log_variance.exp() + 0.01**2).sqrt()
    least = math.log(0.01 * math.sqrt(2 * math.pi))
    expected = -Normal(mean, deviation).log_prob(batch.height[measured] / 5).mean() - least
    assert value("height", output, batch, **keys) == pytest.approx(expected.item(), rel=1e-5)


def test_the_loss_of_bins_is_the_divergence_from_their_labels() -> None:
    """With centres 0, 10, 20, 30 m, and labels without softness: the height shared among its neighbours."""
    bins = {"name": "bins", "count": 4, "largest": 30, "spacing": "linear", "softness": 0}
    heights = torch.tensor([[[-2.0, 0.0, 4.0], [10.0, 25.0, 99.0]]])
    labels = torch.tensor([[1, 0, 0, 0], [1, 0, 0, 0], [0.6, 0.4, 0, 0], [0, 1, 0, 0], [0, 0, 0.5, 0.5], [0, 0, 0, 1]])
    output = torch.randn(1, 4, 2, 3, generator=torch.Generator().manual_seed(0))
    predicted = Categorical(logits=output.movedim(1, -1).reshape(6, 4))
    expected = kl_divergence(Categorical(labels + 1e-12), predicted).mean()
    batch = Batch(torch.zeros(1, 3, 2, 3), heights, torch.zeros(1, 2, 3, dtype=torch.uint8))
    loss = value("height", output, batch, height_head=bins, height_loss="likelihood")
    assert loss == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize(("non_negative", "estimate"), [(False, lambda output: output), (True, softplus)])
def test_logarithms_are_compared_with_the_head_log1p(non_negative: bool, estimate: object) -> None:
    batch, output = random_batch(), random_output("height", {})
    measured = batch.height.isfinite()
    height = batch.height[measured] / 5
    logarithm = torch.where(height > 0, torch.log(1 + height.clamp(min=0)), -torch.log(1 - height.clamp(max=0)))
    expected = (estimate(output[:, 0][measured]) - logarithm).abs().mean()  # type: ignore[operator]  # a function
    loss = value("height", output, batch, height_head="log1p", height_non_negative=non_negative)
    assert loss == pytest.approx(expected.item(), rel=1e-5)


def test_the_gradient_loss_is_the_mean_over_pairs_of_pixels_with_heights() -> None:
    batch, output = random_batch(), random_output("height", {})
    errors = (output[:, 0].detach() - batch.height / 5).numpy()
    differences = []
    for patch, row, column in np.ndindex(errors.shape):
        for distance in (1, 2, 4, 8):
            for below, right in ((distance, 0), (0, distance)):
                if row + below < recipes.SIDE and column + right < recipes.SIDE:
                    pair = errors[patch, row, column], errors[patch, row + below, column + right]
                    differences.append(abs(pair[0] - pair[1]))
    expected = 3 * np.nanmean(differences)
    loss = value("height", output, batch, height_gradient=3) - value("height", output, batch)
    assert loss == pytest.approx(expected, rel=1e-5)


def test_rare_heights_count_by_their_inverse_frequency_up_to_ten(statistics: Statistics) -> None:
    assert statistics.height
    shares = (0.3, 0.1, 0.0, 0.4, 0.16, 0.02, 0.01, 0.0, 0.01)
    height = statistics.height.model_copy(update={"histogram": shares})
    spec = spec_of({"height_balance": "by_height"})
    weights = height_weights(spec, statistics.model_copy(update={"height": height}))
    assert weights is not None
    np.testing.assert_allclose(weights, [1, 1, 10, 1, 2.5, 10, 10, 10, 10], rtol=1e-6)
    weights = height_weights(spec, statistics.model_copy(update={"height": height, "zero_height": False}))
    assert weights is not None
    np.testing.assert_allclose(weights[1:5], [4, 10, 1, 2.5], rtol=1e-6)
    assert height_weights(spec_of({}), statistics) is None


def test_weights_of_heights_are_numbers_where_no_height_is_trained_on(statistics: Statistics) -> None:
    """All heights are 0 or below, and these are not valid."""
    assert statistics.height
    height = statistics.height.model_copy(update={"histogram": (1.0, *[0.0] * 8)})
    without = statistics.model_copy(update={"height": height, "zero_height": False})
    weights = height_weights(spec_of({"height_balance": "by_height"}), without)
    assert weights is not None
    assert weights.tolist() == [10.0] * 9


def test_a_balanced_loss_is_the_weighted_mean() -> None:
    batch, output = random_batch(), random_output("height", {})
    measured = batch.height.isfinite()
    height, errors = batch.height[measured], (output[:, 0] - batch.height / 5)[measured].abs().detach()
    weights = recipes.HEIGHT_WEIGHTS[np.digitize(height.numpy(), HEIGHT_EDGES, right=True)]
    loss = value("height", output, batch, height_balance="by_height")
    assert loss == pytest.approx(((weights * errors).sum() / weights.sum()).item(), rel=1e-5)
    over_all = value("height", output, batch, height_balance="by_height", height_mean="all")
    expected = (weights * errors).sum() / (weights.sum() + (~measured).sum())
    assert over_all == pytest.approx(expected.item(), rel=1e-5)


def test_statistics_have_the_frequencies_of_heights(statistics: Statistics, tiles: Folders) -> None:
    assert statistics.height
    heights = np.concatenate([map_raster(tile / "height.tif").ravel() for tile in tiles["train"]])
    centimetres = np.round(heights[np.isfinite(heights)], 2)
    counts, _ = np.histogram(-centimetres, bins=[-np.inf, *(-np.array(HEIGHT_EDGES[::-1])), np.inf])
    np.testing.assert_allclose(statistics.height.histogram, counts[::-1] / counts.sum(), atol=1e-12)


def test_statistics_of_an_earlier_version_are_refused_where_heights_are_balanced(statistics: Statistics) -> None:
    assert statistics.height
    height = statistics.height.model_copy(update={"histogram": ()})
    earlier = statistics.model_copy(update={"height": height})
    with pytest.raises(ConfigError, match=r"training.height_balance: found .* from an earlier version; .* Delete"):
        height_weights(spec_of({"height_balance": "by_height"}), earlier)
