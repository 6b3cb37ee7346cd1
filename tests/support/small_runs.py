"""Runs without a training."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import yaml

from mtlaerial.models import build_model
from mtlaerial.runs.import_original import import_checkpoint
from mtlaerial.runs.plan import RunPlan, task_outputs
from mtlaerial.runs.prepared_ground import training_ground
from mtlaerial.runs.run import save_description
from mtlaerial.runs.weights import Provenance, save_run_weights
from mtlaerial.tiles.statistics import Statistics
from support import original, tiny

SIZES = original.Sizes(stem=2, growth=2, blocks=(1, 1, 1, 1), bottleneck=1, shared=(3, 3, 2), head=(2, 2))
"""Of the smallest network of the original's kind."""


def imported_run(folder: Path) -> Path:
    """Write a run of both tasks with weights that mean nothing, and return its folder."""
    spec, checkpoint, run = folder / "imported.yaml", folder / "imported.pth.tar", folder / "run"
    content = tiny.city_spec(recipe={"training": {"height_unit": 20}}).model_dump(mode="json")
    spec.write_text(yaml.safe_dump(content), encoding="utf-8")
    torch.save({"epoch": 1, "state_dict": original.weights(original.shapes((1, 7), True, SIZES))}, checkpoint)
    shutil.rmtree(run, ignore_errors=True)
    import_checkpoint(checkpoint, spec, run)
    return run


def drawn_run(folder: Path, plan: RunPlan, statistics: Statistics, seed: int = 3) -> Path:
    """Write a run whose weights are drawn, and its running statistics too, and return its folder."""
    torch.manual_seed(seed)
    network = build_model(plan.model, len(statistics.bands), task_outputs(plan, statistics))
    for name, buffer in network.named_buffers():
        if name.endswith(("running_var", "scale")):
            buffer.uniform_(0.5, 1.5)
        elif name.endswith(("running_mean", "shift")):
            buffer.uniform_(-0.1, 0.1)
    save_run_weights(folder, Provenance(code="0", epoch=1, identity="0"), network.state_dict(), {})
    save_description(folder, plan, statistics)
    return folder


def placed_run(run_folder: Path, folder: Path, tiles: Sequence[Path], dataset: str = "city", **entries: Any) -> Path:
    """Write a copy of a run as if real tiles had been its training tiles; or of one with a start, by its entries."""
    folder.mkdir(parents=True, exist_ok=True)
    if folder != run_folder:
        shutil.copy(run_folder / "model.safetensors", folder)
    data = yaml.safe_load((run_folder / "run.yaml").read_text())
    data["statistics"]["generated"] = False
    ground = training_ground(tiles, dataset, generated=False).model_dump(mode="json")
    (folder / "run.yaml").write_text(yaml.safe_dump({**data, "ground": ground, **entries}))
    return folder


def changed_run(run_folder: Path, folder: Path, selection: str = "last", **plan: Any) -> Path:
    """Write a copy of a run with changes of its plan."""
    shutil.copytree(run_folder, folder)
    data = yaml.safe_load((folder / "run.yaml").read_text())
    data["plan"] |= plan
    data["plan"]["training"]["selection"] = selection
    (folder / "run.yaml").write_text(yaml.safe_dump(data))
    return folder
