"""Conversion of runs that an older version of the package wrote."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtlaerial.config import PredictionSpec
from mtlaerial.errors import DataError
from mtlaerial.runs.imported import invents_training
from mtlaerial.runs.loading import load_network
from mtlaerial.runs.run import FORMAT, RunDescription, load_description, read_entries, write_description
from mtlaerial.runs.weights import DESCRIPTION, WEIGHTS, load_provenance, weights_hash
from mtlaerial.system.file_format import UNNUMBERED, format_of

log = logging.getLogger(__name__)


def upgrade_run(folder: Path) -> bool:
    """Write a run's ``run.yaml`` in the current format; return False when it was of that format before.

    Descriptions of the first format hold no hash: the weights are taken to be the run's if version, code and epoch that
    they carry are those of the description, and they fit its network. Of imported runs a training that nobody knows of
    is taken out of the description. Nor do they hold the prediction by which the run
    was scored and the bands that were read: the defaults of the configuration and the first bands are written, as the
    versions of that format predicted from them.

    Raises
    ------
    ConfigError, DataError
        When the folder is no run's, or description and weights do not belong together.
    """
    import torch

    path = folder / DESCRIPTION
    data = read_entries(folder)
    if format_of(data) != UNNUMBERED:
        description = load_description(folder)
        if not invents_training(data):
            return False
        write_description(folder, description)
        return True
    _require_same_origin(folder, data)
    entries = {**data, **_assumed(data), "format": FORMAT, "sha256": weights_hash(folder)}
    description = RunDescription.parse(entries, str(path))
    load_network(folder, description, torch.device("cpu"))
    write_description(folder, description)
    count = len(description.statistics.bands)
    log.warning(
        "%s did not say how the run was scored, nor which bands it read: plan.prediction has the defaults, "
        "statistics.bands the bands 1 to %d; correct them there",
        *(path, count),
    )
    return True


def _assumed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return plan and statistics of the first format with the defaults of what they lack; what is damaged as it is."""
    plan, statistics = data.get("plan"), data.get("statistics")
    assumed: dict[str, Any] = {}
    if isinstance(plan, Mapping):
        assumed["plan"] = {**plan, "prediction": PredictionSpec().model_dump(mode="json")}
    if isinstance(statistics, Mapping):
        assumed["statistics"] = {**statistics, "bands": _numbered(statistics.get("bands"))}
    return assumed


def _numbered(bands: Any) -> Any:
    """Return bands with their numbers in the files, from 1; what is damaged as it is."""
    if not isinstance(bands, list) or not all(isinstance(band, Mapping) for band in bands):
        return bands
    return [{**band, "index": index} for index, band in enumerate(bands, start=1)]


def _require_same_origin(folder: Path, data: Mapping[str, Any]) -> None:
    """Refuse weights that carry another version, code, epoch or source than the description says."""
    provenance = load_provenance(folder)
    for key in ("mtlaerial", "code", "epoch", "imported"):
        value = getattr(provenance, key)
        if value != data.get(key):
            remedy = "They are of two runs: train it again, or find the weights that belong to the description."
            expected = f"{data.get(key)}, as {folder / DESCRIPTION} says"
            raise DataError(folder / WEIGHTS, f"{key} {value}", expected, remedy)
