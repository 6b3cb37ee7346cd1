"""Monte-Carlo dropout: several passes over the same image, each with different features dropped.

The spread of the passes estimates the network's uncertainty. Gal and Ghahramani, "Dropout as a Bayesian Approximation:
Representing Model Uncertainty in Deep Learning", ICML 2016, arXiv 1506.02142.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mtlaerial.config import Task
from mtlaerial.config.precision import Precision
from mtlaerial.models import Network
from mtlaerial.prediction.engines.torch_engine import in_precision
from mtlaerial.prediction.map_network import Passes


def dropout_forward(model: Network, precision: Precision, device: torch.device, passes: int, seed: int) -> Passes:
    """Return the model's forward with passes that differ in the dropped features.

    All other layers stay in evaluation mode. The encoder has no dropout: it runs once for all passes.

    Parameters
    ----------
    model : Network
        In evaluation mode; left so.
    precision : Precision
    device : torch.device
        The model's device.
    passes : int
    seed : int
        Determines the dropped features together with the image's content, see :func:`window_generator`.
    """
    layers = [module for module in model.modules() if isinstance(module, nn.Dropout)]

    def forward(image: Tensor) -> Iterator[Mapping[Task, Tensor]]:
        generators = [window_generator(window, seed) for window in image]
        with in_precision(precision, device):
            encoded = model.encode(image)
        for _ in range(passes):
            with in_precision(precision, device), _dropping(layers, generators):
                outputs = model.decode(encoded)
            yield outputs

    return forward


def window_generator(window: Tensor, seed: int) -> torch.Generator:
    """Return the random generator of a window, shared by its passes in order.

    It follows from seed and content alone. So a window's prediction does not depend on its batch or on earlier windows,
    two windows get different draws, and torch's global random state stays untouched.
    """
    digest = hashlib.sha256(f"{seed} ".encode() + window.cpu().numpy().tobytes()).digest()
    return torch.Generator(window.device).manual_seed(int.from_bytes(digest[:4], "little"))


@contextmanager
def _dropping(layers: Sequence[nn.Dropout], generators: Sequence[torch.Generator]) -> Iterator[None]:
    """Activate dropout layers in a block, with the n-th generator for the n-th sample of a batch."""

    def drop(layer: nn.Dropout, _: tuple[Tensor, ...], features: Tensor) -> Tensor:
        draws = [torch.rand(features.shape[1:], generator=each, device=features.device) for each in generators]
        return features * (torch.stack(draws) >= layer.p) / (1 - layer.p)

    # Hooks, since torch's own dropout draws from its global generator, for the whole batch at once.
    hooks = [layer.register_forward_hook(drop) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
