"""Exchange between the heads: each adds what it takes from the features of the other tasks.

Features of other tasks are taken without gradient, so that a task's loss trains its own head and the trunk only. All
operators are local: a pixel takes from its surroundings, never from statistics of the whole window, so that windows
agree where they overlap.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from math import sqrt

import torch
from torch import Tensor, nn

from mtlaerial.config import Task


class GatedMessage(nn.Module):
    """Features of another task, times a gate in [0, 1] that the receiving task's features decide.

    Equation 2 of PAD-Net (Xu et al. 2018, arXiv 1805.04409), the multi-modal distillation by attention.

    Parameters
    ----------
    width : int
        Channels of both tasks' features.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gate = nn.Conv2d(width, width, 1)
        self.message = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, features: Tensor, source: Tensor) -> Tensor:
        """Return the message, of the shape of both."""
        gate, message = torch.sigmoid(self.gate(features)), self.message(source)
        return gate * message  # type: ignore[no-any-return]  # a module gives Any


class AttentionMessage(nn.Module):
    """Attention of each pixel of a task to a neighbourhood of the same place in the features of another task.

    Stand-alone self-attention (Ramachandran et al. 2019, arXiv 1906.05909), between tasks and on neighbourhoods with
    gaps: the cost grows with the number of pixels, not with its square, and no tiling of the image into blocks leaves
    an edge. Instead of embedded relative positions each neighbour has a bias.

    Parameters
    ----------
    width : int
        Channels of both tasks' features.
    """

    RADIUS, GAP = 1, 2
    """Neighbours on each side, and their distance in features."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = max(1, width // 2)
        self.query = nn.Conv2d(width, inner, 1)
        # Without bias: it would add the same to all neighbours, which the softmax takes no notice of.
        self.key = nn.Conv2d(width, inner, 1, bias=False)
        self.value = nn.Conv2d(width, inner, 1)
        self.out = nn.Conv2d(inner, width, 1)
        self.place = nn.Parameter(torch.zeros((2 * self.RADIUS + 1) ** 2))
        self.scale = 1 / sqrt(inner)

    def forward(self, features: Tensor, source: Tensor) -> Tensor:
        """Return the message, of the shape of both."""
        query, keys, values = self.query(features), self.key(source), self.value(source)
        scores = [(query * key).sum(dim=1, keepdim=True) * self.scale for key in self._neighbours(keys)]
        weights = (torch.cat(scores, dim=1) + self.place[:, None, None]).softmax(dim=1).unbind(dim=1)
        message = torch.zeros_like(values)
        for weight, value in zip(weights, self._neighbours(values), strict=True):
            message = message + weight[:, None] * value
        return self.out(message)  # type: ignore[no-any-return]  # a module gives Any

    def _neighbours(self, features: Tensor) -> Iterator[Tensor]:
        """Yield the features moved to each neighbour; the outermost ones are repeated outside of the image."""
        rows, columns = features.shape[-2:]
        reach = self.RADIUS * self.GAP
        padded = nn.functional.pad(features, (reach, reach, reach, reach), mode="replicate")
        offsets = range(0, 2 * reach + 1, self.GAP)
        for down in offsets:
            for right in offsets:
                yield padded[..., down : down + rows, right : right + columns]


MESSAGES: dict[str, Callable[[int], nn.Module]] = {"gated": GatedMessage, "attention": AttentionMessage}


class Exchange(nn.Module):
    """A task's features plus the messages from all other tasks.

    Parameters
    ----------
    kind : str
        A key of ``MESSAGES``.
    width : int
        Channels of each task's features.
    sources : collection of task
        The other tasks.
    """

    def __init__(self, kind: str, width: int, sources: Collection[Task]) -> None:
        super().__init__()
        self.messages = nn.ModuleDict({str(task): MESSAGES[kind](width) for task in sources})

    def forward(self, features: Tensor, embeddings: Mapping[str, Tensor]) -> Tensor:
        """Return the features with messages.

        Parameters
        ----------
        features : Tensor, shape (batch, width, rows, columns)
            Of the receiving task.
        embeddings : mapping of task to Tensor, each of that shape
            Of the other tasks; detached here.
        """
        for task, message in self.messages.items():
            features = features + message(features, embeddings[task].detach())
        return features
