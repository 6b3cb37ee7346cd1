"""Runs without a training."""

import shutil
from pathlib import Path

import torch
import yaml

from mtlaerial.runs.import_original import import_checkpoint
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
