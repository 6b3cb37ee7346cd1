"""ImageNet weights of the encoder, from torchvision's DenseNet-121.

The stems differ: the first convolution, the second and its batch norm keep their random weights, as in the original.
"""

import re
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from mtlaerial.config import D3NetSpec
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.models.encoders.densenet import DenseNet, densenet_name, without_dots
from mtlaerial.models.network import Network
from mtlaerial.models.original.untrusted import require_plain_checkpoint
from mtlaerial.models.safetensors_io import save_weights
from mtlaerial.system.safetensors_header import require_header

_REMEDY = "Get torchvision's DenseNet-121 anew."
_STEM = ("conv0.", "downconv0.", "norm1.")
"""Prefixes of the stem's tensors that DenseNet-121 lacks, or has in another shape."""
_COUNTER = "num_batches_tracked"
"""A tensor without effect; files of old versions of torch have none."""


def convert_densenet(source: Path, target: Path) -> None:
    """Write the weights of torchvision's DenseNet-121 under our encoder's names.

    Parameters
    ----------
    source : Path
        The state dict, as torch saves it or as safetensors; layers named ``norm1`` or, as in the published file,
        ``norm.1``.
    target : Path
        A safetensors file of the tensors that fit the full-size encoder, e.g. ``blocks.0.0.norm1.weight``.

    Raises
    ------
    DataError
        When the source is missing, damaged or another network's, or the target cannot be written.
    """
    published = {without_dots(name): tensor for name, tensor in _read(source).items()}
    weights = {}
    for key, shape in _shared_shapes().items():
        name = densenet_name(key)
        if name in published and published[name].shape == shape:
            weights[key] = published[name]
        elif not key.endswith(_COUNTER):
            actual = f"the shape {tuple(published[name].shape)}" if name in published else "no such tensor"
            raise DataError(f"{source}, {name}", actual, f"the shape {tuple(shape)}", _REMEDY)
    save_weights(target, weights)


def load_encoder(model: Network, path: Path) -> int:
    """Copy an encoder's weights into a network, in place.

    Parameters
    ----------
    model : Network
        A full-size network with any number of bands: the first convolution keeps its random weights.
    path : Path
        A file written by :func:`convert_densenet`.

    Returns
    -------
    int
        Number of copied tensors.

    Raises
    ------
    DataError
        When the file is missing, damaged, or not such a file.
    ConfigError
        When the network has other sizes.
    """
    names, target = _shared_shapes(), model.trunk.encoder.state_dict()
    weights = {name: tensor for name, tensor in _read(path).items() if name in names}
    if not weights:
        remedy = "Make the file from torchvision's DenseNet-121 with convert_densenet."
        raise DataError(path, "no tensor with a name of the encoder's", "an encoder's weights", remedy)
    for name, tensor in weights.items():
        if name not in target or tensor.shape != target[name].shape:
            size = tuple(target[name].shape) if name in target else "missing"
            raise ConfigError(
                "pretrained", f"a network whose {name} is {size}", f"the full-size encoder's {tuple(tensor.shape)}",
                "Leave stem, growth, blocks and bottleneck of the model at their defaults, or set pretrained: none.",
            )  # fmt: skip
    for name, tensor in weights.items():  # only after all are checked: an error leaves the network unchanged
        target[name].copy_(tensor)
    return len(weights)


def _shared_shapes() -> dict[str, torch.Size]:
    """Return the shapes of the tensors that the full-size encoder has in common with DenseNet-121."""
    spec = D3NetSpec()
    with torch.device("meta"):  # shapes without memory
        encoder = DenseNet(3, spec.stem, spec.growth, spec.blocks, spec.bottleneck)
    return {key: tensor.shape for key, tensor in encoder.state_dict().items() if not key.startswith(_STEM)}


def _read(path: Path) -> dict[str, Tensor]:
    """Read tensors by name from a safetensors file or a torch checkpoint; no code in the file is run."""
    try:
        if path.suffix == ".safetensors":
            require_header(path)
            return load_file(path)
        require_plain_checkpoint(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except DataError as error:
        raise DataError(path, error.found, "weights by name", _REMEDY) from None
    except Exception as error:  # a damaged file fails in any way
        missing = isinstance(error, FileNotFoundError)
        reason = "no file" if missing else f"a file that cannot be read ({_first_sentence(error)})"
        raise DataError(path, reason, "weights by name", _REMEDY) from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise DataError(path, "other objects", "weights by name", _REMEDY)
    return state


def _first_sentence(error: Exception) -> str:
    """Return the first sentence of an error; torch's goes on with how to trust the file."""
    return re.split(r"[.\n]", str(error), maxsplit=1)[0].strip() or type(error).__name__
