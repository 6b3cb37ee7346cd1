"""Constants and changes of runs with a description."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml

from mtlaerial.runs.weights import Provenance

CPU = torch.device("cpu")
PROVENANCE = Provenance(code="0123456789ab", epoch=2)


def change_description(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    data = yaml.safe_load((folder / "run.yaml").read_text(encoding="utf-8"))
    change(data)
    (folder / "run.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
