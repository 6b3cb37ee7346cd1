"""Passes of one patch that a network reduces to one pixel: batch norms would have one value per channel."""

from typing import Any

import pytest
import torch

from mtlaerial.errors import ConfigError
from mtlaerial.models import build_model
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.lone_values import require_several_values
from mtlaerial.training.trainer import Trainer
from support import networks, tiny
from support.tiny import Folders

REFUSED = r"training\.patch: found 32 in passes of one patch, of which a batch norm .* Write patch: 64, or raise"
ONE_PATCH = {"patch": 32, "batch": 2, "accumulate": 2}


@pytest.mark.parametrize("name", ["context", "d3net"])
def test_passes_of_one_patch_are_refused_where_they_become_one_pixel(
    name: str, statistics: Statistics, tiles: Folders
) -> None:
    plan = networks.plan(name, **ONE_PATCH)
    with pytest.raises(ConfigError, match=REFUSED):
        Trainer(tiny.job(plan, statistics, tiles["train"]))


@pytest.mark.parametrize("changes", [{"patch": 64}, {"accumulate": 1}])
def test_larger_patches_and_several_patches_per_pass_are_trained(changes: dict[str, Any]) -> None:
    training = {**ONE_PATCH, **changes}
    plan = networks.plan("context", **training)
    require_several_values(networks.built("context"), plan, 3, 2 // plan.training.accumulate)


def test_a_network_that_normalises_no_such_pixel_is_trained_with_passes_of_one_patch() -> None:
    # The resize decoder has no batch norm at the coarsest scale, nor has the tests' encoder.
    require_several_values(networks.built("resize"), networks.plan("resize", **ONE_PATCH), 3, 1)


def test_frozen_batch_norms_divide_by_their_running_variance() -> None:
    start = {"source": "run/", "parts": "trunk", "freeze": {"encoder": 2, "decoder": 2}}
    model = networks.network_spec("context", pretrained=start)
    network = build_model(model, 3, networks.OUTPUTS)
    frozen, thawed = (
        networks.plan("context", **ONE_PATCH, epochs=epochs).model_copy(update={"model": model}) for epochs in (2, 3)
    )
    require_several_values(network, frozen, 3, 1)
    with pytest.raises(ConfigError, match=REFUSED):
        require_several_values(network, thawed, 3, 1)


def test_the_question_changes_neither_the_network_nor_the_random_numbers() -> None:
    network = networks.built("resize", dropout=0.5)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    torch.manual_seed(3)
    require_several_values(network, networks.plan("resize", **ONE_PATCH), 3, 1)
    drawn = torch.rand(1)
    assert torch.equal(drawn, torch.rand(1, generator=torch.Generator().manual_seed(3)))
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
