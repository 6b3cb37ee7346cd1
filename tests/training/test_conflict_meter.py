"""Conflict of the tasks' gradients at both levels, measured beside an update."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from torch import Tensor

from mtlaerial.models.frozen_batchnorm import frozen_statistics
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.conflict_meter import conflict_columns
from mtlaerial.training.trainer import Trainer
from support import tiny
from support.tiny import Folders


@pytest.fixture
def make_trainer(tiles: Folders, statistics: Statistics) -> Callable[..., Trainer]:
    """Return a function that builds a trainer of one epoch for some weighting and recipe."""

    def build(name: str = "equal", **training: Any) -> Trainer:
        trainer = Trainer(tiny.job(tiny.run_plan(weighting={"name": name}, **training), statistics, tiles["train"], []))
        trainer.network.train()
        return trainer

    return build


def flat(tensors: Iterable[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])


def products(rows: list[Tensor]) -> Tensor:
    table = torch.stack(rows)
    return table @ table.T


def expected_gramians(trainer: Trainer) -> dict[str, Tensor]:
    """Return the inner products of the first step by a plain backward pass per task, before any update."""
    *_, drawn = trainer.update.batches.draw(0)
    parts = list(drawn.parts(trainer.spec.accumulate))
    tasks, trunk = trainer.plan.tasks, list(trainer.network.trunk.parameters())
    at_features: dict[str, list[Tensor]] = {task: [] for task in tasks}
    at_parameters = {task: torch.zeros(sum(parameter.numel() for parameter in trunk)) for task in tasks}
    for part in parts:
        torch.manual_seed(part.seed)
        with frozen_statistics(trainer.network):
            features = trainer.network.features(part.patches.image)
            leaves = tuple(feature.detach().requires_grad_() for feature in features)
            losses = trainer.update.losses(trainer.network.outputs(leaves), part.patches, part.amounts)
            whole = trainer.update.losses(trainer.network.outputs(features), part.patches, part.amounts)
        for task in tasks:
            at_features[task].append(flat(torch.autograd.grad(losses[task], leaves, retain_graph=True)))
            at_parameters[task] += flat(torch.autograd.grad(whole[task], trunk, retain_graph=True))
    rows = [torch.cat(gradients) for gradients in at_features.values()]
    return {"features": products(rows), "parameters": products(list(at_parameters.values()))}


@pytest.mark.quick_cases(2, "trains a network a case")
@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        ("equal", {}),
        ("modo", {}),
        ("mgda_ub", {}),
        ("pcgrad", {"batch": 4, "accumulate": 2}),
        ("uw", {"checkpointing": True}),
    ],
)
def test_gradients_are_measured_at_both_levels_and_no_weight_changes(
    make_trainer: Callable[..., Trainer], name: str, recipe: dict[str, Any]
) -> None:
    trainer, blind = make_trainer(name, **recipe), make_trainer(name, **recipe)
    expected = expected_gramians(trainer)
    gramians = trainer.update(0, measure_conflict=True).gramians
    assert gramians is not None
    assert list(gramians) == list(expected)
    for level, table in gramians.items():
        torch.testing.assert_close(table, expected[level], rtol=1e-3, atol=1e-8)
    assert blind.update(0).gramians is None
    for key, value in blind.network.state_dict().items():
        assert torch.equal(trainer.network.state_dict()[key], value), key


def test_a_frozen_trunk_has_gradients_at_the_features_alone(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer()
    trainer.network.trunk.requires_grad_(False)
    trainer.update.trunk = []
    gramians = trainer.update(0, measure_conflict=True).gramians
    assert gramians is not None
    assert list(gramians) == ["features"]


def test_columns_name_the_level() -> None:
    table = torch.tensor([[4.0, -3.0, 0.0], [-3.0, 9.0, 0.0], [0.0, 0.0, 0.0]])
    columns = conflict_columns({"parameters": table}, ("semantics", "height", "edges"))
    assert columns["norm_parameters_height"] == 3
    assert columns["cosine_parameters_semantics_height"] == -0.5
    assert torch.tensor(columns["cosine_parameters_height_edges"]).isnan()
    assert len(columns) == 6
