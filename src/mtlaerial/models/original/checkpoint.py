"""Weights of the original implementation, brought to our names.

Its network (github.com/marcelampc/mtl_aerial_images) computes what :class:`~mtlaerial.models.D3Net` does. It names the
encoder's tensors as torchvision's DenseNet, numbers the tasks' decoders in the order of its tasks, and has the third
decoder block under two names.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mtlaerial.config import ModelSpec, Task
from mtlaerial.errors import DataError
from mtlaerial.models.d3net import D3Net, DecoderBlock
from mtlaerial.models.densenet import densenet_name

_PARTS = ("conv1", "bn1", "conv2", "bn2")
"""What the original calls the layers with weights of a decoder block, in their order."""
_BLOCK3, _ALIAS = "last_common_layer.", "decoder.d_block3."
"""Both are the third decoder block."""
_COUNTER = "num_batches_tracked"
"""A tensor that nothing depends on, and that torch before 0.4.1 did not store."""
_WEIGHTS_OF_TASKS = "omegas"
"""GradNorm's weights, which the original keeps among the network's."""
_SHOWN = 3
"""Tensors named per fault."""


@dataclass(frozen=True)
class OriginalCheckpoint:
    """A state dict of the original, and what its shapes say of the network.

    Attributes
    ----------
    where : Path
        Its file, for messages.
    state : dict of str to Tensor
        By the original's names, without the prefix of ``DataParallel``.
    model : ModelSpec
        The network's sizes. ``dropout`` is what was said, since it has no weights.
    bands : int
        Bands of the image.
    outputs : tuple of int
        Channels of each task's output, in the order of the original's tasks.
    """

    where: Path
    state: dict[str, Tensor]
    model: ModelSpec
    bands: int
    outputs: tuple[int, ...]

    @classmethod
    def of(cls, state: Mapping[str, Tensor], where: Path, dropout: float) -> "OriginalCheckpoint":
        """Read the sizes of the network from the shapes of its weights.

        Raises
        ------
        DataError
            When tensors that say so are missing, or the number of tasks is not one or two.
        """
        names = _tidy(state)
        shapes = _Shapes(where, names)
        tasks = {name.split(".")[1] for name in names if name.startswith("decoder_tasks.")}
        if len(tasks) not in (1, 2):
            raise _unlike(where, f"{len(tasks)} decoder_tasks", "one or two, as the original's networks have")
        outputs = tuple(shapes.size(f"decoder_tasks.{i}.last_conv.weight", 0) for i in range(len(tasks)))
        return cls(where, names, shapes.model(dropout), shapes.size("features.conv0.weight", 1), outputs)

    def weights(self, tasks: Sequence[Task]) -> dict[str, Tensor]:
        """Return the weights by our names.

        Parameters
        ----------
        tasks : sequence of Task
            The original's tasks in its order; its "depth" is our "height".

        Raises
        ------
        DataError
            When tensors are missing, have another shape than the network's, hold other than finite floats, or belong to
        no such network.
        """
        with torch.device("meta"):
            network = D3Net(self.model, self.bands, dict(zip(tasks, self.outputs, strict=True)))
        ours = network.state_dict()
        names = {f"{our}.{tensor}": f"{theirs}.{tensor}" for our, theirs, tensor in _leaves(network, tasks, ours)}
        missing = [name for name in names.values() if name not in self.state and not name.endswith(_COUNTER)]
        shaped = [(name, tuple(ours[key].shape)) for key, name in names.items() if name in self.state]
        wrong = [
            f"{name} of shape {tuple(self.state[name].shape)} instead of {shape}"
            for name, shape in shaped
            if tuple(self.state[name].shape) != shape
        ]
        unexpected = sorted(set(self.state) - set(names.values()))
        broken = [name for name, _ in shaped if not name.endswith(_COUNTER) and not _finite(self.state[name])]
        faults = {"no": missing, "wrong": wrong, "unexpected": unexpected, "other than finite numbers in": broken}
        found = "; ".join(f"{what} {_listed(which)}" for what, which in faults.items() if which)
        if found:
            raise _unlike(self.where, found, "the weights of one of the original's networks")
        return {key: self.state.get(name, torch.zeros_like(ours[key], device="cpu")) for key, name in names.items()}


def _finite(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and bool(tensor.isfinite().all())


class _Shapes:
    """Sizes by the names of tensors."""

    def __init__(self, where: Path, state: Mapping[str, Tensor]) -> None:
        self.where, self.state = where, state

    def size(self, name: str, axis: int) -> int:
        shape = self.state[name].shape if name in self.state else ()
        if len(shape) <= axis or not shape[axis]:
            found = f"{name} of shape {tuple(shape)}" if name in self.state else f"no {name}"
            raise _unlike(self.where, found, "the weights of one of the original's networks")
        return shape[axis]

    def model(self, dropout: float) -> ModelSpec:
        layer = "features.denseblock1.denselayer1"
        growth = self.size(f"{layer}.conv2.weight", 0)
        shared = [self.size(f"{block}.0.conv2.weight", 0) for block in ("decoder.d_block5", "decoder.d_block4")]
        sizes = {
            "stem": self.size("features.conv0.weight", 0),
            "growth": growth,
            "blocks": [self._layers(number) for number in range(1, 5)],
            "bottleneck": self.size(f"{layer}.conv1.weight", 0) // growth,
            "shared": [*shared, self.size(f"{_BLOCK3}0.conv2.weight", 0)],
            "head": [self.size(f"decoder_tasks.0.d_block{i}.0.conv2.weight", 0) for i in (2, 1)],
            "skips": self.size("decoder.d_block4.0.conv1.weight", 0) > shared[0],
            "dropout": dropout,
        }
        return ModelSpec.parse(sizes, str(self.where))

    def _layers(self, block: int) -> int:
        self.size(f"features.denseblock{block}.denselayer1.conv1.weight", 0)
        pattern = re.compile(rf"features\.denseblock{block}\.denselayer\d+\.conv1\.weight")
        return sum(bool(pattern.fullmatch(name)) for name in self.state)


def _tidy(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the network's tensors without ``DataParallel``'s prefix, and with the third block under one name."""
    names = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    names.pop(_WEIGHTS_OF_TASKS, None)
    block3 = {name.replace(_ALIAS, _BLOCK3, 1): names.pop(name) for name in list(names) if name.startswith(_ALIAS)}
    return {**block3, **names}


def _leaves(network: D3Net, tasks: Sequence[Task], keys: Mapping[str, Tensor]) -> Iterator[tuple[str, str, str]]:
    """Yield our name of a layer, the original's, and the name of a tensor in it, for each of our tensors."""
    layers = dict(_layers(network, tasks))
    for key in keys:
        layer, tensor = key.rsplit(".", 1)
        encoder = layer.removeprefix("trunk.encoder.")
        yield layer, layers[layer] if encoder == layer else densenet_name(encoder), tensor


def _layers(network: D3Net, tasks: Sequence[Task]) -> Iterator[tuple[str, str]]:
    """Yield our name and the original's of each of the decoders' layers that have weights."""
    blocks: dict[str, str] = {"trunk.block5": "decoder.d_block5", "trunk.block4": "decoder.d_block4"}
    blocks["trunk.block3"] = _BLOCK3.removesuffix(".")
    for number, task in enumerate(tasks):
        yield f"heads.{task}.last", f"decoder_tasks.{number}.last_conv"
        blocks |= {f"heads.{task}.block{i}": f"decoder_tasks.{number}.d_block{i}" for i in (2, 1)}
    for our, theirs in blocks.items():
        block = network.get_submodule(our)
        assert isinstance(block, DecoderBlock)
        indices = [index for index, layer in block.named_children() if layer.state_dict()]
        yield from ((f"{our}.{i}", f"{theirs}.0.{part}") for i, part in zip(indices, _PARTS, strict=True))


def _unlike(where: Path, found: str, expected: str) -> DataError:
    return DataError(where, found, expected, "Only checkpoints of mtl_aerial_images can be imported.")


def _listed(names: Sequence[str]) -> str:
    others = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + others
