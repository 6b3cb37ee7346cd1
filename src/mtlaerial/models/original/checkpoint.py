"""Weights of the original implementation, converted to our tensor names.

The original network (github.com/marcelampc/mtl_aerial_images) computes the same function as
:class:`~mtlaerial.models.D3Net`. It names the encoder's tensors as torchvision's DenseNet does, numbers the decoders in
the order of its tasks, and has the third decoder block under two names.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mtlaerial.config import D3NetSpec, Task
from mtlaerial.errors import DataError
from mtlaerial.models.d3net import D3Net, DecoderBlock
from mtlaerial.models.encoders.densenet import densenet_name, without_dots
from mtlaerial.models.original.stored_tensors import shortened

_BLOCK_LAYERS = ("conv1", "bn1", "conv2", "bn2")
"""The original's names of a decoder block's layers with weights, in their order."""
_BLOCK3, _BLOCK3_ALIAS = "last_common_layer.", "decoder.d_block3."
"""The two prefixes of the third decoder block."""
_COUNTER = "num_batches_tracked"
"""A tensor without effect, which torch before 0.4.1 did not store."""
_GRADNORM_WEIGHTS = "omegas"
"""GradNorm's task weights, which the original stores among the network's weights."""
_LISTED = 3
"""Tensors named per fault in messages."""
_EXPECTED = "the weights of one of the original's networks"


@dataclass(frozen=True)
class OriginalCheckpoint:
    """A state dict of the original, and the sizes of its network.

    Attributes
    ----------
    where : Path
        The checkpoint file, for messages.
    state : dict of str to Tensor
        By the original's names, without the prefix of ``DataParallel``.
    model : D3NetSpec
        The network's sizes. ``dropout`` is the caller's, since dropout has no weights.
    bands : int
        Bands of the image.
    outputs : tuple of int
        Channels of each task's output, in the order of the original's tasks.
    """

    where: Path
    state: dict[str, Tensor]
    model: D3NetSpec
    bands: int
    outputs: tuple[int, ...]

    @classmethod
    def of(cls, state: Mapping[str, Tensor], where: Path, dropout: float) -> "OriginalCheckpoint":
        """Infer the sizes of the network from the shapes of its weights.

        Raises
        ------
        DataError
            When tensors with these sizes are missing, or the number of tasks is not one or two.
        """
        tensors = _canonical_names(state, where)
        sizes = _SizeReader(where, tensors)
        tasks = {name.split(".")[1] for name in tensors if name.startswith("decoder_tasks.")}
        if len(tasks) not in (1, 2):
            raise _not_original(where, f"{len(tasks)} decoder_tasks", "one or two, as the original's networks have")
        outputs = tuple(sizes.size(f"decoder_tasks.{i}.last_conv.weight", 0) for i in range(len(tasks)))
        return cls(where, tensors, sizes.model(dropout), sizes.size("features.conv0.weight", 1), outputs)

    def weights(self, tasks: Sequence[Task]) -> dict[str, Tensor]:
        """Return the weights by our names.

        Parameters
        ----------
        tasks : sequence of Task
            The original's tasks in its order; its "depth" is our "height".

        Raises
        ------
        DataError
            When tensors are missing, unexpected, of another shape than the network's, or hold other than finite floats.
        """
        with torch.device("meta"):  # shapes without memory
            network = D3Net(self.model, self.bands, dict(zip(tasks, self.outputs, strict=True)))
        ours = network.state_dict()
        names = _original_names(network, tasks)
        faults = self._faults({name: tuple(ours[key].shape) for key, name in names.items()})
        if faults:
            raise _not_original(self.where, faults, _EXPECTED)
        # Only counters can be absent here; theirs are zeros.
        return {key: self.state.get(name, torch.zeros_like(ours[key], device="cpu")) for key, name in names.items()}

    def _faults(self, shapes: Mapping[str, tuple[int, ...]]) -> str:
        """Return the differences of the state dict from the network's shapes as text; empty where it fits."""
        missing = [name for name in shapes if name not in self.state and not name.endswith(_COUNTER)]
        present = {name: tuple(self.state[name].shape) for name in shapes if name in self.state}
        wrong = [
            f"{name} of shape {shape} instead of {shapes[name]}"
            for name, shape in present.items()
            if shape != shapes[name]
        ]
        unexpected = sorted(set(self.state) - set(shapes))
        broken = [name for name in present if not name.endswith(_COUNTER) and not _finite(self.state[name])]
        faults = {"no": missing, "wrong": wrong, "unexpected": unexpected, "other than finite numbers in": broken}
        return "; ".join(f"{kind} {_listed(tensors)}" for kind, tensors in faults.items() if tensors)


def _finite(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and bool(tensor.isfinite().all())


class _SizeReader:
    """Sizes of the network, from the shapes of its tensors."""

    def __init__(self, where: Path, state: Mapping[str, Tensor]) -> None:
        self.where, self.state = where, state

    def size(self, name: str, axis: int) -> int:
        shape = self.state[name].shape if name in self.state else ()
        if len(shape) <= axis or not shape[axis]:
            fault = f"{name} of shape {tuple(shape)}" if name in self.state else f"no {name}"
            raise _not_original(self.where, fault, _EXPECTED)
        return shape[axis]

    def model(self, dropout: float) -> D3NetSpec:
        layer = "features.denseblock1.denselayer1"
        growth = self.size(f"{layer}.conv2.weight", 0)
        shared = [self.size(f"{block}.0.conv2.weight", 0) for block in ("decoder.d_block5", "decoder.d_block4")]
        head = [self.size(f"decoder_tasks.0.d_block{number}.0.conv2.weight", 0) for number in (2, 1)]
        sizes = {
            "stem": self.size("features.conv0.weight", 0),
            "growth": growth,
            "blocks": [self._layers(number) for number in range(1, 5)],
            "bottleneck": self.size(f"{layer}.conv1.weight", 0) // growth,
            "shared": [*shared, self.size(f"{_BLOCK3}0.conv2.weight", 0)],
            "head": head,
            # A transposed convolution has its input channels first: more of them than block 5 gives are a skip's.
            "skips": self.size("decoder.d_block4.0.conv1.weight", 0) > shared[0],
            "dropout": dropout,
        }
        return D3NetSpec.parse(sizes, str(self.where))

    def _layers(self, block: int) -> int:
        self.size(f"features.denseblock{block}.denselayer1.conv1.weight", 0)
        pattern = re.compile(rf"features\.denseblock{block}\.denselayer\d+\.conv1\.weight")
        return sum(bool(pattern.fullmatch(name)) for name in self.state)


def _canonical_names(state: Mapping[str, Tensor], where: Path) -> dict[str, Tensor]:
    """Return the network's tensors by today's names, without ``DataParallel``'s prefix, the third block under one.

    Raises
    ------
    DataError
        When two tensors have the same name then.
    """
    tensors: dict[str, Tensor] = {}
    for name, tensor in state.items():
        canonical = without_dots(name.removeprefix("module."))
        if canonical in tensors:
            raise _not_original(where, f"two tensors {shortened(canonical)}", _EXPECTED)
        tensors[canonical] = tensor
    tensors.pop(_GRADNORM_WEIGHTS, None)
    aliases = [name for name in tensors if name.startswith(_BLOCK3_ALIAS)]
    block3 = {name.replace(_BLOCK3_ALIAS, _BLOCK3, 1): tensors.pop(name) for name in aliases}
    return {**block3, **tensors}  # under both names are the same tensors


def _original_names(network: D3Net, tasks: Sequence[Task]) -> dict[str, str]:
    """Return the original's name of each of our tensors."""
    decoder_layers = dict(_decoder_layers(network, tasks))
    names = {}
    for key in network.state_dict():
        layer, tensor = key.rsplit(".", 1)
        encoder_layer = layer.removeprefix("trunk.encoder.")
        original = decoder_layers[layer] if encoder_layer == layer else densenet_name(encoder_layer)
        names[key] = f"{original}.{tensor}"
    return names


def _decoder_layers(network: D3Net, tasks: Sequence[Task]) -> Iterator[tuple[str, str]]:
    """Yield our name and the original's of each layer with weights in the decoders."""
    blocks: dict[str, str] = {"trunk.block5": "decoder.d_block5", "trunk.block4": "decoder.d_block4"}
    blocks["trunk.block3"] = _BLOCK3.removesuffix(".")
    for number, task in enumerate(tasks):
        yield f"heads.{task}.last", f"decoder_tasks.{number}.last_conv"
        blocks |= {f"heads.{task}.block{i}": f"decoder_tasks.{number}.d_block{i}" for i in (2, 1)}
    for ours, originals in blocks.items():
        block = network.get_submodule(ours)
        assert isinstance(block, DecoderBlock)
        indices = [index for index, layer in block.named_children() if layer.state_dict()]
        pairs = zip(indices, _BLOCK_LAYERS, strict=True)
        yield from ((f"{ours}.{index}", f"{originals}.0.{layer}") for index, layer in pairs)


def _not_original(where: Path, fault: str, expected: str) -> DataError:
    return DataError(where, fault, expected, "Only checkpoints of mtl_aerial_images can be imported.")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(shortened, names[:_LISTED])) + more
