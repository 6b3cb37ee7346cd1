"""Monte-Carlo dropout: several passes over the same image, each with other features left out.

The spread of the passes tells where the network is unsure. Gal and Ghahramani, "Dropout as a Bayesian Approximation:
Representing Model Uncertainty in Deep Learning", ICML 2016, arXiv 1506.02142.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mtlaerial.config import Task
from mtlaerial.models import D3Net
from mtlaerial.prediction.map_network import Passes, in_precision


def dropout_forward(model: D3Net, precision: str, device: torch.device, passes: int, seed: int) -> Passes:
    """Return the model's forward with passes that differ in what dropout leaves out.

    All else is as in evaluation. The encoder has no dropout: it runs once for all passes.

    Parameters
    ----------
    model : D3Net
        In evaluation mode, in which it stays.
    precision : str
        Of Fabric's names, e.g. ``bf16-mixed``.
    device : torch.device
        Of the model.
    passes : int
    seed : int
        What is left out follows from it and from the image's content, see :func:`window_generator`.
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
    """Return the generator that one window's passes draw from, one after the other.

    It follows from seed and content alone. So a window gets the same answer in any batch and whatever was predicted
    before, two windows get different draws, and torch's own random state is left as it is.
    """
    digest = hashlib.sha256(f"{seed} ".encode() + window.cpu().numpy().tobytes()).digest()
    return torch.Generator(window.device).manual_seed(int.from_bytes(digest[:4], "little"))


@contextmanager
def _dropping(layers: Sequence[nn.Dropout], generators: Sequence[torch.Generator]) -> Iterator[None]:
    """Let dropout layers drop while the block runs, the n-th sample of a batch by the n-th generator."""

    def drop(layer: nn.Dropout, _: tuple[Tensor, ...], features: Tensor) -> Tensor:
        draws = [torch.rand(features.shape[1:], generator=each, device=features.device) for each in generators]
        return features * (torch.stack(draws) >= layer.p) / (1 - layer.p)

    hooks = [layer.register_forward_hook(drop) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
