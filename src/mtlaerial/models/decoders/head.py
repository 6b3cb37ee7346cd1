"""Head of one task."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from mtlaerial.models.decoders.exchange import Exchange
from mtlaerial.models.decoders.layers import conv_norm, conv_norm_relu, doubled, doublings

FINEST = 2
"""Stride up to which a head has nonlinear layers, unless there are finer features: linear ones may be interpolated
without leaving a grid."""


class Head(nn.Module):
    """From the shared features to a task's output at the resolution of the network's input.

    Parameters
    ----------
    channels, strides : sequence of int
        Of the decoder's features and of the encoder's finer ones, from coarse to fine.
    width : int
        Channels of the head's own layers.
    out : int
        Channels of the output.
    exchange : Exchange, optional
        What the head takes from other heads.
    pixels : int
        Channels of the features of the image's own pixels, which are the last of the shared ones; 0 for none.

    Attributes
    ----------
    embedding : Module
        From the shared features to the task's own ones, which other heads may take.
    output : Module
        From the task's own features to its output.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        width: int,
        out: int,
        exchange: Exchange | None = None,
        pixels: int = 0,
    ) -> None:
        super().__init__()
        self.embedding = Embedding(channels[0], width)
        self.output = Output(channels, strides, width, out, exchange, pixels)

    def forward(self, features: tuple[Tensor, ...]) -> Tensor:
        """Return the output of a head without exchange, shape (batch, out, rows, columns)."""
        return self.output(self.embedding(features), features, {})  # type: ignore[no-any-return]  # a module gives Any


class Embedding(nn.Module):
    """A task's own features at the resolution of the decoder's."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.block = conv_norm_relu(channels, width)

    def forward(self, features: tuple[Tensor, ...]) -> Tensor:
        """Return the task's features, shape (batch, width, rows / stride, columns / stride)."""
        return self.block(features[0])  # type: ignore[no-any-return]  # a module gives Any


class Output(nn.Module):
    """From a task's own features, and those that it takes from others, to its output."""

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        width: int,
        out: int,
        exchange: Exchange | None,
        pixels: int,
    ) -> None:
        super().__init__()
        self.exchange = exchange
        self.refinements = nn.ModuleList()
        stride = strides[0]
        for skip, finer in zip(channels[1:], strides[1:], strict=True):
            self.refinements.append(Refinement(width, doublings(stride, finer), skip))
            stride = finer
        if stride > FINEST:
            self.refinements.append(Refinement(width, doublings(stride, FINEST)))
            stride = FINEST
        self.finest: PixelRefinement | None = None
        if pixels:
            self.finest = PixelRefinement(width, doublings(stride, 1), pixels)
            width, stride = self.finest.channels, 1
        self.last = nn.Conv2d(width, out, 1)
        self.steps = doublings(stride, 1)

    def forward(self, features: Tensor, shared: tuple[Tensor, ...], embeddings: Mapping[str, Tensor]) -> Tensor:
        """Return the output, shape (batch, out, rows, columns).

        Parameters
        ----------
        features : Tensor
            Of the embedding.
        shared : tuple of Tensor
            The shared features, of which the finer ones are used.
        embeddings : mapping of task to Tensor
            Features of all tasks' embeddings.
        """
        if self.exchange is not None:
            features = self.exchange(features, embeddings)
        skips = shared[1:] if self.finest is None else shared[1:-1]
        for index, refinement in enumerate(self.refinements):
            features = refinement(features, *skips[index : index + 1])
        if self.finest is not None:
            features = self.finest(features, shared[-1])
        return doubled(self.last(features), self.steps)


class Refinement(nn.Module):
    """A convolution at the next finer scale, of the features there, if the encoder has any, plus the coarse ones."""

    def __init__(self, width: int, steps: int, skip: int = 0) -> None:
        super().__init__()
        self.steps = steps
        self.lateral = conv_norm(skip, width) if skip else None
        self.block = conv_norm_relu(width, width)

    def forward(self, features: Tensor, skip: Tensor | None = None) -> Tensor:
        """Return features of twice the rows and columns, or more."""
        features = doubled(features, self.steps)
        if self.lateral is not None:
            features = features + self.lateral(skip)
        return self.block(features)  # type: ignore[no-any-return]  # a module gives Any


class PixelRefinement(nn.Module):
    """A convolution at the resolution of the network's input, of the features of its pixels plus the coarse ones.

    A layer here costs four times as much as at half of the resolution, so that it has half of the channels. They are
    left out before the doubling, by a linear layer, which leaves no grid.

    Parameters
    ----------
    width : int
        Channels of the coarse features.
    steps : int
        Doublings up to the resolution of the network's input.
    pixels : int
        Channels of the features of the pixels.

    Attributes
    ----------
    channels : int
        Channels of the result.
    """

    def __init__(self, width: int, steps: int, pixels: int) -> None:
        super().__init__()
        self.channels = max(1, width // 2)
        self.narrow = conv_norm(width, self.channels)
        self.refinement = Refinement(self.channels, steps, pixels)

    def forward(self, features: Tensor, pixels: Tensor) -> Tensor:
        """Return features, shape (batch, channels, rows, columns)."""
        return self.refinement(self.narrow(features), pixels)  # type: ignore[no-any-return]  # a module gives Any
