"""A description that was edited, so that the weights beside it do not fit."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from mtlaerial.errors import DataError
from mtlaerial.runs.loading import load_run

Edit = Callable[[dict[str, Any]], Any]
EDITS: dict[str, tuple[Edit, str]] = {
    "growth": (lambda run: run["plan"]["model"].update(growth=5), r"key plan\.model: found a network whose \S+ is "),
    "head": (
        lambda run: run["plan"]["model"].update(head=[5, 4]),
        r"key plan\.model: found a network whose heads\.\S+ is ",
    ),
    "blocks": (
        lambda run: run["plan"]["model"].update(blocks=[1, 1, 1, 2]),
        r"key plan\.model: found a network with \S+, which model\.safetensors lacks, as one of \d+ tensors",
    ),
    "tasks": (
        lambda run: run["plan"].update(tasks=["semantics"]),
        r"key plan\.tasks: found a network without heads\.height\.\S+, which model\.safetensors has",
    ),
    "classes": (
        lambda run: run["statistics"]["classes"].pop(),
        r"key statistics\.classes: found a network whose heads\.semantics\.last\.weight is 5 x .*, which is 6 x ",
    ),
    "height head": (
        lambda run: run["plan"]["training"].update(height_head="laplace", height_loss="likelihood"),
        r"key plan\.training\.height_head: found a network whose heads\.height\.last\.weight is 2 x .*, which is 1 x ",
    ),
    "bands": (
        lambda run: run["statistics"]["bands"].pop(),
        r"key statistics\.bands: found a network whose \S+ is \d+ x 2 x .*, which is \d+ x 3 x ",
    ),
    "growth and classes": (
        lambda run: (run["plan"]["model"].update(growth=5), run["statistics"]["classes"].pop()),
        r"keys plan\.model, statistics\.classes: found ",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_description_is_named_with_the_key_and_a_tensor(run_folder: Path, tmp_path: Path, edit: str) -> None:
    change, words = EDITS[edit]
    folder = Path(shutil.copytree(run_folder, tmp_path / "run"))
    data = yaml.safe_load((folder / "run.yaml").read_text(encoding="utf-8"))
    change(data)
    (folder / "run.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    with pytest.raises(DataError, match=rf"^\S+run\.yaml, {words}") as refused:
        load_run(folder, torch.device("cpu"))
    assert "\n" not in str(refused.value)
    assert "Undo the change of run.yaml" in str(refused.value)
