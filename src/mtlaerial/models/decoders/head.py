"""Head of one task."""

from collections.abc import Mapping

from torch import Tensor, nn

from mtlaerial.models.decoders.exchange import Exchange
from mtlaerial.models.decoders.layers import conv_norm_relu, doubled, doublings

FINEST = 2
"""Stride of the last nonlinear layer: what follows is interpolated, which leaves no grid behind a linear layer."""


class Head(nn.Module):
    """From the shared features to a task's output at the resolution of the network's input.

    Parameters
    ----------
    channels : int
        Channels of the shared features.
    width : int
        Channels of the head's own layers.
    out : int
        Channels of the output.
    stride : int
        Side of a shared feature in pixels.
    exchange : Exchange, optional
        What the head takes from other heads.

    Attributes
    ----------
    embedding : Module
        From the shared features to the task's own ones, which other heads may take.
    """

    def __init__(self, channels: int, width: int, out: int, stride: int, exchange: Exchange | None = None) -> None:
        super().__init__()
        self.embedding = Embedding(channels, width)
        self.output = Output(width, out, stride, exchange)

    def forward(self, features: tuple[Tensor, ...]) -> Tensor:
        """Return the output without exchange, shape (batch, out, rows, columns)."""
        return self.output(self.embedding(features), {})  # type: ignore[no-any-return]  # a module gives Any


class Embedding(nn.Module):
    """A task's own features at the resolution of the shared ones."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.block = conv_norm_relu(channels, width)

    def forward(self, features: tuple[Tensor, ...]) -> Tensor:
        """Return the task's features, shape (batch, width, rows / stride, columns / stride)."""
        (shared,) = features
        return self.block(shared)  # type: ignore[no-any-return]  # a module gives Any


class Output(nn.Module):
    """From a task's own features, and those that it takes from others, to its output."""

    def __init__(self, width: int, out: int, stride: int, exchange: Exchange | None) -> None:
        super().__init__()
        self.exchange = exchange
        self.before = max(0, doublings(stride, FINEST))
        self.after = doublings(min(stride, FINEST), 1)
        self.refine = conv_norm_relu(width, width)
        self.last = nn.Conv2d(width, out, 1)

    def forward(self, features: Tensor, taken: Mapping[str, Tensor]) -> Tensor:
        """Return the output, shape (batch, out, rows, columns).

        Parameters
        ----------
        features : Tensor
            Of the embedding.
        taken : mapping of task to Tensor
            Features of the other tasks' embeddings, without gradient.
        """
        if self.exchange is not None:
            features = self.exchange(features, taken)
        return doubled(self.last(self.refine(doubled(features, self.before))), self.after)
