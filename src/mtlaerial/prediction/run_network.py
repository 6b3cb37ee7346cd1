"""The network of a run, or the networks of an ensemble's runs, for the blender."""

from collections.abc import Sequence

import torch

from mtlaerial.config import PredictionSpec
from mtlaerial.config.engines import require_engine
from mtlaerial.config.ensemble import Average
from mtlaerial.config.predictors import require_predictor
from mtlaerial.config.require import require_dropout, require_multiple
from mtlaerial.models.batchnorm_folding import folded
from mtlaerial.models.height_heads import build_height_head
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.prediction.engines.engine import build_engine
from mtlaerial.prediction.map_network import MapNetwork, Passes, single_pass
from mtlaerial.prediction.monte_carlo_dropout import dropout_forward
from mtlaerial.prediction.network_ensemble import NetworkEnsemble
from mtlaerial.prediction.stacked_outputs import StackedOutputs
from mtlaerial.runs.loading import Run


def network_of(
    runs: Sequence[Run], prediction: PredictionSpec, device: torch.device, heights: Average = "mean"
) -> StackedOutputs:
    """Return the network of a run, or those of several as one, whose heights are the given average.

    Raises
    ------
    ConfigError
        When the windows do not fit each of several networks, passes with dropout are asked of one without dropout, the
        networks cannot serve the spread or a layer, or the engine is not installed or cannot serve the prediction.
    DeviceError
        When the processor lacks the units of a precision.
    """
    require_engine("prediction.", prediction, [run.description.plan.training.precision for run in runs])
    require_predictor("prediction.", prediction, [run.description.learner for run in runs])
    networks = [_map_network(run, prediction, device) for run in runs]
    if len(networks) == 1:
        return networks[0]
    for run in runs:
        require_multiple("prediction.window", prediction.window, run.description.plan.model)
    return NetworkEnsemble(networks, heights)


def _map_network(run: Run, prediction: PredictionSpec, device: torch.device) -> MapNetwork:
    plan = run.description.plan
    forward = _forward(run, prediction, device)
    normalise = Normalisation(*run.description.statistics.range)
    heights = build_height_head(plan.training, prediction.height_of_bins).to(device)
    outputs = run.description.outputs
    sizes = plan.model.multiple, plan.model.context_scale
    return MapNetwork(forward, normalise, prediction, outputs, heights, *sizes)


def _forward(run: Run, prediction: PredictionSpec, device: torch.device) -> Passes:
    plan, model, passes = run.description.plan, folded(run.model), prediction.dropout_passes
    precision = prediction.precision or plan.training.precision
    require_dropout("prediction.dropout_passes", passes, plan.model)
    if passes:
        return dropout_forward(model, precision, device, passes, plan.seed)
    return single_pass(build_engine(prediction.engine, model, precision, device))
