"""Trained runs with their networks, ready to predict."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mtlaerial.errors import DataError
from mtlaerial.runs.ensemble_file import ensemble_in_place_of_run
from mtlaerial.runs.run import RunDescription, load_description
from mtlaerial.runs.weights import DESCRIPTION, WEIGHTS

if TYPE_CHECKING:
    import torch

    from mtlaerial.models import Network


@dataclass(frozen=True)
class Run:
    """A trained run, ready to predict."""

    folder: Path
    description: RunDescription
    model: "Network"


def load_run(folder: Path, device: "torch.device") -> Run:
    """Load a single trained run for prediction.

    Raises
    ------
    ConfigError, DataError
        When its description or its weights are missing or damaged, do not belong together, or are not finite; or it is
        an ensemble.
    """
    description = load_description(folder)
    return Run(folder, description, load_network(folder, description, device))


def load_networks(folder: Path, description: RunDescription, device: "torch.device") -> list[Run]:
    """Load the runs whose networks predict: the members of an ensemble, else the run itself.

    Raises
    ------
    DataError
        As of :func:`load_network`.
    """
    runs = description.members or {folder: description}
    return [Run(run, described, load_network(run, described, device)) for run, described in runs.items()]


def load_network(folder: Path, description: RunDescription, device: "torch.device") -> "Network":
    """Return the network that a description states, with a run's weights, ready to predict.

    Raises
    ------
    ConfigError, DataError
        When the weights are missing or damaged, not finite, or do not fit the network; or the run is an ensemble.
    """
    if description.members:
        raise ensemble_in_place_of_run(folder, list(map(str, description.members)), "with weights of its own")
    import torch

    from mtlaerial.models import build_model
    from mtlaerial.models.safetensors_io import load_weights
    from mtlaerial.runs.fitting_weights import require_fitting_weights

    sizes = description.plan.model, len(description.statistics.bands), description.outputs
    try:
        with torch.device("meta"):  # sizes that do not fit the weights take no memory
            network = build_model(*sizes)
    except RuntimeError as error:
        remedy = "Get the file anew: it is damaged."
        where = f"{folder / DESCRIPTION}, key plan.model"
        raise DataError(where, f"sizes that cannot be ({error})", "the sizes of its weights", remedy) from None
    weights = load_weights(folder / WEIGHTS)
    require_fitting_weights(folder, network, weights)
    if any(name not in weights for name, _ in network.named_buffers()):
        network = build_model(*sizes)  # e.g. tables of positions, which are computed and not in the file
    network.load_state_dict(weights, assign=True)
    network.to(device, torch.float32, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch types lack it
    network.eval()
    return network
