"""Networks: a trunk shared by all tasks, and a head for each task.

``Encoder``, ``Trunk`` and ``Network`` are what packages with networks of their own extend (docs/networks.md).
"""

from collections.abc import Iterable, Mapping

from torch import nn

from mtlaerial.config import D3NetSpec, EncoderDecoderSpec, NetworkSpec, PackagedSpec, Task
from mtlaerial.config.encoder import NETWORKS
from mtlaerial.errors import ConfigError
from mtlaerial.models.d3net import D3Net
from mtlaerial.models.encoder_decoder import EncoderDecoder
from mtlaerial.models.encoders.encoder import Encoder
from mtlaerial.models.network import Network, Trunk
from mtlaerial.models.registered import build_registered

__all__ = ["D3Net", "Encoder", "EncoderDecoder", "Network", "Trunk", "build_model"]


def build_model(spec: NetworkSpec, bands: int, outputs: Mapping[Task, int]) -> Network:
    """Build the network of a specification.

    Parameters
    ----------
    spec : NetworkSpec
    bands : int
        Bands of the image.
    outputs : mapping of task to int
        Channels of each task's output.

    Raises
    ------
    ConfigError
        When a package that it needs is missing, an option is wrong, or another package registers no network, or a task
        under a name that modules of torch have.
    """
    _require_task_names(outputs)
    if isinstance(spec, D3NetSpec):
        return D3Net(spec, bands, outputs)
    if isinstance(spec, EncoderDecoderSpec):
        return EncoderDecoder(spec, bands, outputs)
    shared = {"reduction": spec.reduction, "dropout": spec.dropout}
    options = spec.options if isinstance(spec, PackagedSpec) else {}
    network = build_registered(NETWORKS, spec.name, Network, options, bands=bands, outputs=outputs, **shared)
    _require_as_asked(spec, network, outputs)
    return network


def _require_task_names(tasks: Iterable[Task]) -> None:
    """Refuse tasks under whose names torch cannot hold a module."""
    for task in tasks:
        if hasattr(nn.ModuleDict(), task):
            remedy = "Rename it in the package that registers it."
            raise ConfigError(f"task {task}", "a name that modules of torch have", "another name", remedy)


def _require_as_asked(spec: NetworkSpec, network: Network, outputs: Mapping[Task, int]) -> None:
    """Refuse a network of another package with other tasks, an order of its own, or another reduction."""
    if network.tasks != tuple(outputs):  # losses and weights are matched by their order
        problem, expected = f"heads for {', '.join(network.tasks)}", f"{', '.join(outputs)}, in this order"
        raise NETWORKS.registered_wrongly(spec.name, problem, expected)
    if network.reduction != spec.reduction:
        raise NETWORKS.registered_wrongly(
            spec.name, f"the reduction {network.reduction}", f"{spec.reduction}, as given"
        )
