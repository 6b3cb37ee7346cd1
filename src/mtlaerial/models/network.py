"""The interface of networks: a trunk that all tasks share, and a head per task."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping

from torch import Tensor, nn

from mtlaerial.config import Task
from mtlaerial.models.encoders.encoder import Encoder

COARSEST = 32
"""Side in pixels of the coarsest features: networks take images whose sides are multiples of it."""


class Trunk(nn.Module, ABC):
    """The layers that all tasks share: an encoder, and a decoder up to the heads.

    Attributes
    ----------
    encoder : Encoder
        Without dropout, so that Monte Carlo passes run it once.
    """

    encoder: Encoder

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the input features of the heads.

        Parameters
        ----------
        image : Tensor, shape (batch, bands, rows, columns), float in [-1, 1]
            Rows and columns divisible by 32.
        """
        return self.decode(self.encode(image))

    def encode(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the encoder's outputs, the input of :meth:`decode`."""
        return self.encoder(image)  # type: ignore[no-any-return]  # a module gives Any

    @abstractmethod
    def decode(self, encoded: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the input features of the heads for the encoder's outputs."""


class Network(nn.Module):
    """A network: ``{task: head(trunk(image))}``.

    A task's loss gives gradients to its own head and to the trunk, and to nothing else: weightings see a network as the
    parameters of the trunk, those of each head, and the features between them.

    Parameters
    ----------
    trunk : Trunk
    heads : mapping of task to Module
        Each maps the trunk's features to the task's output, shape (batch, channels, rows, columns).
    reduction : int
        Side in pixels of the squares that the image is averaged over first; outputs are interpolated back.
    """

    def __init__(self, trunk: Trunk, heads: Mapping[Task, nn.Module], reduction: int = 1) -> None:
        super().__init__()
        self.reduction = reduction
        self.trunk = trunk
        self.heads = nn.ModuleDict({str(task): head for task, head in heads.items()})

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks of the heads."""
        return tuple(self.heads)

    @property
    def multiple(self) -> int:
        """Divisor of rows and columns of an image that is not padded."""
        return COARSEST * self.reduction

    def forward(self, image: Tensor) -> dict[Task, Tensor]:
        """Return each task's output: class logits, or the channels of the height head.

        Parameters
        ----------
        image : Tensor, shape (batch, bands, rows, columns), float in [-1, 1]
            Of any size: rows and columns are repeated at the lower and right edge up to a multiple of
            :attr:`multiple`, and cut off from the outputs.
        """
        rows, columns = image.shape[-2:]
        below, right = -rows % self.multiple, -columns % self.multiple
        if below or right:
            image = nn.functional.pad(image, (0, right, 0, below), mode="replicate")
        outputs = self.outputs(self.features(image))
        return {task: output[..., :rows, :columns] for task, output in outputs.items()}

    def features(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the trunk's features, the input of the heads; rows and columns divisible by :attr:`multiple`."""
        return self.trunk(self._downsampled(image))  # type: ignore[no-any-return]  # a module gives Any

    def encode(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the encoder's outputs, the input of :meth:`decode`; no layer up to here has dropout."""
        return self.trunk.encode(self._downsampled(image))

    def decode(self, encoded: tuple[Tensor, ...]) -> dict[Task, Tensor]:
        """Return each task's output for an encoded image."""
        return self.outputs(self.trunk.decode(encoded))

    def outputs(self, features: tuple[Tensor, ...]) -> dict[Task, Tensor]:
        """Return each task's output for the trunk's features."""
        return {task: self._upsampled(output) for task, output in self.run_heads(features).items()}

    def run_heads(self, features: tuple[Tensor, ...]) -> dict[Task, Tensor]:
        """Return each head's output, at the resolution of the reduced image; networks with exchange extend this."""
        return {task: self.heads[task](features) for task in self.tasks}

    def restrict(self, tasks: Collection[Task]) -> None:
        """Remove the outputs of all other tasks, in place; networks with exchange extend this."""
        for task in set(self.tasks) - set(tasks):
            del self.heads[task]

    def compiled_parts(self) -> list[nn.Module]:
        """Return the modules that torch.compile compiles, each for itself: weightings meet the features between."""
        return [self.trunk, *self.heads.values()]

    def _downsampled(self, image: Tensor) -> Tensor:
        return image if self.reduction == 1 else nn.functional.avg_pool2d(image, self.reduction)

    def _upsampled(self, output: Tensor) -> Tensor:
        if self.reduction == 1:
            return output
        factor = float(self.reduction)
        return nn.functional.interpolate(output, scale_factor=factor, mode="bilinear", align_corners=False)
