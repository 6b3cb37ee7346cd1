"""A run with random weights."""

from pathlib import Path

import pytest

from mtlaerial.runs.run import save_description
from mtlaerial.runs.weights import save_run_weights
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.without_torch import require_torch


@pytest.fixture
def saved(statistics: Statistics, tmp_path: Path) -> Path:
    """Return the folder of a run with random weights."""
    require_torch()
    import torch

    from mtlaerial.models import build_model
    from support.described_runs import PROVENANCE

    plan = tiny.run_plan()
    torch.manual_seed(3)
    weights = build_model(plan.model, 3, {"semantics": 6, "height": 1}).state_dict()
    last = {key: value + 1 for key, value in weights.items()}
    save_run_weights(tmp_path, PROVENANCE, weights, {"last": last})
    save_description(tmp_path, plan, statistics)
    return tmp_path
