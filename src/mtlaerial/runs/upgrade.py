"""Conversion of runs that an older version of the package wrote."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtlaerial.config import PredictionSpec, read_yaml
from mtlaerial.errors import DataError
from mtlaerial.runs.run import FORMAT, RunDescription, load_description, load_network, write_description
from mtlaerial.runs.weights import DESCRIPTION, WEIGHTS, load_provenance, weights_hash
from mtlaerial.system.file_format import UNNUMBERED, format_of

log = logging.getLogger(__name__)


def upgrade_run(folder: Path) -> bool:
    """Write a run's ``run.yaml`` in the current format; return False when it was of that format before.

    Descriptions of the first format hold no hash: the weights are taken to be the run's if version, code and epoch that
    they carry are those of the description, and they fit its network. The prediction by which the run was scored is not
    known either: the defaults of the configuration are written.

    Raises
    ------
    ConfigError, DataError
        When the folder is no run's, or description and weights do not belong together.
    """
    import torch

    path = folder / DESCRIPTION
    data = read_yaml(path)
    if format_of(data) != UNNUMBERED:
        load_description(folder)
        return False
    _require_same_origin(folder, data)
    plan = {**data.get("plan", {}), "prediction": PredictionSpec().model_dump(mode="json")}
    entries = {**data, "format": FORMAT, "sha256": weights_hash(folder), "plan": plan}
    description = RunDescription.parse(entries, str(path))
    load_network(folder, description, torch.device("cpu"))
    write_description(folder, description)
    log.info("%s did not say how the run was scored: plan.prediction has the defaults; correct it there", path)
    return True


def _require_same_origin(folder: Path, data: Mapping[str, Any]) -> None:
    """Refuse weights that carry another version, code, epoch or source than the description says."""
    provenance = load_provenance(folder)
    for key in ("mtlaerial", "code", "epoch", "imported"):
        value = getattr(provenance, key)
        if value != data.get(key):
            remedy = "They are of two runs: train it again, or find the weights that belong to the description."
            expected = f"{data.get(key)}, as {folder / DESCRIPTION} says"
            raise DataError(folder / WEIGHTS, f"{key} {value}", expected, remedy)
