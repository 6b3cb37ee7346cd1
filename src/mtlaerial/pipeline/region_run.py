"""The run that maps a region, and the prediction by which it does."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from mtlaerial.config import Blend, PredictionSpec
from mtlaerial.config.engines import CPU_ENGINES, require_engine
from mtlaerial.config.mapping import MapSpec
from mtlaerial.config.predictors import require_predictor
from mtlaerial.config.require import require_dropout, require_multiple, require_overlap
from mtlaerial.prediction.map_provenance import training_data
from mtlaerial.runs.calibration_file import CALIBRATION
from mtlaerial.runs.run import RunDescription, read_description
from mtlaerial.runs.shipped import find_run
from mtlaerial.system.hashing import file_hashes


@dataclass(frozen=True)
class RegionRun:
    """The run that maps a region.

    Attributes
    ----------
    folder : Path
    description : RunDescription
    prediction : PredictionSpec
        That by which the run was scored, with the changes of the section ``map``.
    """

    folder: Path
    description: RunDescription
    prediction: PredictionSpec

    @classmethod
    def of(cls, spec: MapSpec) -> "RegionRun":
        """Return the run of a section.

        Raises
        ------
        UserError
            When there is none, windows do not suit its networks, or these or the engine cannot serve the prediction.
        """
        folder = find_run(spec.run)
        description = read_description(folder)
        values = {**_scored(description, spec).model_dump(), "image_maps": False, **spec.prediction}
        prediction = PredictionSpec.parse(values, "map.prediction")
        for network in description.networks:
            require_multiple("map.prediction.window", prediction.window, network.plan.model)
            require_dropout("map.prediction.dropout_passes", prediction.dropout_passes, network.plan.model)
        require_overlap("map.prediction.window, map.prediction.stride", prediction)
        require_predictor("map.prediction.", prediction, [network.learner for network in description.networks])
        precisions = [network.plan.training.precision for network in description.networks]
        require_engine("map.prediction.", prediction, precisions)
        return cls(folder, description, prediction)

    @property
    def identity(self) -> list[str]:
        """Hashes of the weights, of what else maps take from the description, and of a calibration if there is one.

        The description says title, names and colours of classes, and the value of pixels that are no image.
        """
        calibration = self.folder / CALIBRATION
        hashes = [file_hashes(calibration, "sha256")["sha256"]] if calibration.exists() else []
        classes = [(each.name, each.colour) for each in self.description.statistics.classes]
        nodata = self.description.statistics.nodata
        stated = json.dumps([training_data(self.description), classes, *([] if nodata is None else [nodata])])
        return [self.description.sha256, hashlib.sha256(stated.encode()).hexdigest(), *hashes]

    @property
    def threads(self) -> int:
        """Threads that the networks compute with on the CPU."""
        return self.prediction.threads or max(network.plan.training.threads for network in self.description.networks)

    @property
    def uses_gpu(self) -> bool:
        """Whether a GPU is the stated device; without one, whether all networks were trained where a GPU may be."""
        if self.prediction.engine in CPU_ENGINES:
            return False
        if self.prediction.device:
            return self.prediction.device == "cuda"
        return all(network.plan.training.accelerator != "cpu" for network in self.description.networks)


def _scored(description: RunDescription, spec: MapSpec) -> PredictionSpec:
    """Return the prediction by which a run was scored, with the windows of another blend that comes without windows."""
    scored, blend = description.plan.prediction, spec.prediction.get("blend")
    if blend not in get_args(Blend) or spec.prediction.keys() & {"window", "stride"}:
        return scored
    return scored.blended(blend)
