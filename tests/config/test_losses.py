"""Losses and height heads in the configuration: what fits together, and one sentence for what does not."""

from typing import Any

import pytest

from mtlaerial.config import TrainingSpec, merge
from mtlaerial.config.height_head import BinsSpec
from mtlaerial.errors import ConfigError
from support.losses import HEIGHTS, SEMANTICS

LIKELIHOOD = {"height_loss": "likelihood"}


@pytest.mark.parametrize("keys", [*HEIGHTS.values(), *SEMANTICS.values()])
def test_a_recipe_is_the_same_after_it_was_written(keys: dict[str, Any]) -> None:
    spec = TrainingSpec.parse(keys, "training")
    assert TrainingSpec.parse(spec.model_dump(mode="json"), "run.yaml") == spec


def test_a_head_may_be_given_by_its_name_alone() -> None:
    assert TrainingSpec.parse({"height_head": "bins", **LIKELIHOOD}, "training").height_head == BinsSpec()
    assert TrainingSpec.parse({"height_head": {"name": "log1p"}}, "training").height_head == "log1p"


def test_an_overlay_replaces_a_head_and_leaves_out_a_loss_by_the_weight_0() -> None:
    base = TrainingSpec.parse({"semantic_loss": {"cross_entropy": 1, "dice": 1}}, "training").model_dump(mode="json")
    overlay = {"semantic_loss": {"dice": 0}, "height_head": {"name": "bins", "count": 8}, **LIKELIHOOD}
    spec = TrainingSpec.parse(merge(base, overlay), "training")
    assert spec.height_head == BinsSpec(count=8)
    back = TrainingSpec.parse(merge(spec.model_dump(mode="json"), {"height_head": "linear", "height_loss": "l1"}), "x")
    assert back.height_head == "linear"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (
            {"height_head": "ordinal"},
            "height_head: found 'ordinal'; expected one of linear, log1p, bins, laplace, gaussian.",
        ),
        ({"height_head": 3}, "height_head: found 3; expected one of linear, log1p, bins, laplace, gaussian."),
        ({"height_head": {"name": "bin"}}, "height_head: found 'bin'; .*Did you mean bins?"),
        ({"height_head": {"name": "log1p", "count": 3}}, "height_head.count: found a key of the head bins;"),
        ({"height_head": {"largest": 0}, **LIKELIHOOD}, "height_head.largest: found 0; expected a number greater than"),
        ({"height_head": {"count": 1}, **LIKELIHOOD}, "height_head.count: found 1; expected a number of at least 2."),
        ({"height_head": {"larges": 9}, **LIKELIHOOD}, "height_head.larges: found an unknown key; .* mean largest?"),
        (
            {"height_head": {"name": "bins", "value": "median"}, **LIKELIHOOD},
            "height_head.value: found median; expected prediction.height_of_bins, as it decides maps .* Move it there",
        ),
        ({"height_head": "bins"}, "height_loss: found l1; expected likelihood, with the height_head bins. Write"),
        ({"height_head": "laplace", "height_loss": "huber"}, "height_loss: found huber; expected likelihood, with the"),
        (LIKELIHOOD, "height_loss: found likelihood; expected l1 or huber, with the height_head linear."),
        ({"height_loss": "dice"}, "height_loss: found 'dice', a loss of semantics; .* Write it as semantic_loss."),
        ({"semantic_loss": "huber"}, "semantic_loss: found 'huber', a loss of heights; .* Write it as height_loss."),
        ({"semantic_loss": {"dice": 1, "l1": 1}}, "semantic_loss: found 'l1', a loss of heights;"),
        ({"semantic_loss": "lovas"}, "semantic_loss: found 'lovas'; expected one of .* Did you mean lovasz?"),
        ({"semantic_loss": {"dice": -1}}, "semantic_loss.dice: found -1; expected a number of at least 0."),
        ({"semantic_loss": {"dice": 0}}, "semantic_loss: found no weight above 0; expected one of the losses"),
        ({"semantic_loss": {}}, "semantic_loss: found no weight above 0; expected one of the losses"),
        ({"semantic_loss": "dice", "label_smoothing": 0.1}, "label_smoothing: found 0.1 without cross entropy;"),
        ({"label_smoothing": 1}, "label_smoothing: found 1; expected a number less than 1."),
        ({"height_gradient": -1}, "height_gradient: found -1; expected a number of at least 0."),
        ({"height_balance": "by_class"}, "height_balance: found 'by_class'; expected 'none' or 'by_height'."),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=f"^training, key {words}") as caught:
        TrainingSpec.parse(keys, "training")
    assert "\n" not in str(caught.value)
