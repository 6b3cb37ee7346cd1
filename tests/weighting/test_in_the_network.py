"""Weightings in the network and its training: a case per kind of weighting."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.models import build_model
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.train import train
from mtlaerial.weighting import Pass, Step
from support import tiny
from support.weighting_problem import TASKS, backward, weighting

KINDS = {
    "fixed": {},
    "uw": {},
    "mgda": {},
    "feature_normalisation": {},
    "graddrop": {"leak": 1.0},
    "moco": {"level": "features"},
    "excess_mtl": {"level": "parameters"},
    "modo": {"level": "features"},
    "sdmgrad": {"level": "parameters"},
}
"""A weighting of every base class and level."""


@pytest.mark.quick_cases(9, "a network a case")
@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("name", KINDS)
def test_the_trunk_follows_the_weighted_gradients_of_all_scales(name: str, skips: bool) -> None:
    torch.manual_seed(0)
    network = build_model(tiny.model_spec(skips=skips, dropout=0.0), 3, {"semantics": 4, "height": 1}).eval()
    trunk, images = list(network.trunk.parameters()), torch.randn(3, 2, 3, 32, 32)
    heads = {task: list(network.heads[task].parameters()) for task in TASKS}
    method = weighting(name, **KINDS[name])

    def forward(batch: int, part: int = 0, cuts: bool = False) -> Pass:
        features = network.features(images[batch])
        detached = tuple(scale.detach().requires_grad_() for scale in features)
        inputs = detached if cuts else features
        losses: dict[Task, Tensor] = {task: (output**2).mean() for task, output in network.outputs(inputs).items()}
        return Pass(losses, features, inputs, images[batch], batch)

    weights = backward(method, Step(trunk, heads), lambda batch, part: forward(batch, part, method.cuts(1))).tolist()
    followed = method.batches - 1
    alone = [torch.autograd.grad(forward(followed).losses[task], trunk) for task in TASKS]
    for parameter, first, second in zip(trunk, *alone, strict=True):
        torch.testing.assert_close(parameter.grad, weights[0] * first + weights[1] * second, rtol=1e-3, atol=1e-6)


@pytest.mark.quick_cases(4, "trains a network a case")
@pytest.mark.parametrize("name", ["dwa", "famo", "gradient_penalty", "cagrad", "imtl", "graddrop", "db_mtl", "modo"])
def test_each_kind_trains_in_half_precision_with_passes_and_short_gradients(
    tiles: dict[str, list[Path]], statistics: Statistics, tmp_path: Path, name: str
) -> None:
    plan = tiny.run_plan(
        weighting={"name": name}, precision="bf16-mixed", batch=4, accumulate=2, clip_norm=1.0, epochs=1
    )
    train(tiny.job(plan, statistics, tiles["train"], [], tmp_path / "run"))
    weights = load_file(tmp_path / "run" / "model.safetensors")
    assert all(tensor.isfinite().all() for tensor in weights.values())
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    shown = history[["weight_semantics", "weight_height", "norm_features_semantics", "norm_features_height"]]
    assert (shown.abs() < 1e6).all(axis=None)
