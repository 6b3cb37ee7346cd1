"""Parts of a network that are not trained in the first epochs."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace

from torch import Tensor, nn

from mtlaerial.config.start import Part
from mtlaerial.errors import ConfigError
from mtlaerial.models import Network
from mtlaerial.models.parts import network_parts
from mtlaerial.runs.plan import RunPlan
from mtlaerial.weighting import Pass, build_weighting

log = logging.getLogger(__name__)


class Freezing:
    """Switches parts of a network between frozen and trained, by the number of the epoch.

    A frozen part has no gradients, so that the optimiser passes over it, weight decay included; its batch norms
    normalise by their running statistics, which stay as they are. Dropout stays on: the layers behind it are trained.

    Parameters
    ----------
    network : Network
    epochs : mapping of part to int
        Epochs at the beginning during which a part is frozen.
    """

    def __init__(self, network: Network, epochs: Mapping[Part, int]) -> None:
        parts = network_parts(network)
        self._parts = [(parts[name], number) for name, number in epochs.items()]

    def apply(self, epoch: int) -> None:
        """Freeze or train each part as in an epoch, counted from 0, after ``network.train()``."""
        for part, number in self._parts:
            trained = epoch >= number
            for parameter in part.parameters:
                parameter.requires_grad_(trained)
            for norm in part.norms:
                norm.train(trained)


def trained_parameters(module: nn.Module) -> list[Tensor]:
    """Return the parameters of a module that are not frozen."""
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


def with_trained_scales(forward: Pass) -> Pass:
    """Return a pass with the features that depend on a trained parameter; with all where the trunk is frozen."""
    trained = [number for number, feature in enumerate(forward.features) if feature.requires_grad]
    if len(trained) in (0, len(forward.features)):
        return forward
    features = tuple(forward.features[number] for number in trained)
    return replace(forward, features=features, head_inputs=tuple(forward.head_inputs[number] for number in trained))


def weights_of(network: Network, parts: Collection[Part]) -> dict[str, Tensor]:
    """Return a copy of the weights of some parts, without biases and batch norms, by name."""
    sections = network_parts(network)
    chosen = {id(parameter) for part in parts for parameter in sections[part].parameters}
    named = network.named_parameters()
    return {name: value.detach().clone() for name, value in named if id(value) in chosen and value.ndim > 1}


def warn_of_random(network: Network, drawn: Mapping[str, Tensor]) -> None:
    """Warn of layers that are frozen with random weights, after a network took those that it begins with.

    Parameters
    ----------
    network : Network
    drawn : mapping of str to Tensor
        The random weights of the parts that are frozen, by name.
    """
    weights = dict(network.named_parameters())
    random = [name for name, value in drawn.items() if _shares_a_row(value, weights[name].detach())]
    if random:
        listed = ", ".join(random[:3]) + (", …" if len(random) > 3 else "")
        log.warning("pretrained.freeze: %d frozen layers have random weights (%s)", len(random), listed)


def _shares_a_row(drawn: Tensor, weights: Tensor) -> bool:
    """Tell whether an output channel is still as it was drawn."""
    return bool((drawn == weights).flatten(1).all(1).any())


def require_freezable(plan: RunPlan) -> None:
    """Refuse weightings that cannot do without the gradients of frozen parts.

    Raises
    ------
    ConfigError
        When the trunk is frozen and the weighting balances its gradients, or the weighting remembers a value for each
        parameter of the trunk and some of them are frozen for a part of the training.
    """
    epochs = plan.model.start.freeze if plan.model.start else {}
    frozen = [epochs[part] for part in ("encoder", "decoder") if part in epochs]
    if not frozen:
        return
    weighting, name = build_weighting(plan.weighting, plan.tasks), plan.weighting.name
    where = f"method {plan.method}, key pretrained.freeze of its model"
    if len(frozen) == 2 and weighting.family == "gradients":
        raise ConfigError(
            where, f"encoder and decoder with the weighting {name}, which balances their gradients",
            "a part of the trunk that is trained", "Freeze the encoder alone, or choose a weighting by losses.",
        )  # fmt: skip
    if weighting.tracks_parameters and min(frozen) < plan.training.epochs:
        raise ConfigError(
            where, f"parts of the trunk with the weighting {name}, which remembers a value for each trained parameter",
            "the same parameters in all epochs", "Freeze nothing, choose another weighting, or its level: features.",
        )  # fmt: skip
