"""The encoder's weights from ImageNet: torchvision's DenseNet-121, as far as it is our encoder.

The stems differ: the first convolution, the second and its normalisation keep their random weights, as in the original.
"""

import re
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from mtlaerial.config import ModelSpec
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.models.d3net import D3Net
from mtlaerial.models.densenet import Encoder, densenet_name
from mtlaerial.models.safetensors_io import save_weights

_REMEDY = "Get torchvision's DenseNet-121 anew."
_OWN = ("conv0.", "downconv0.", "norm1.")
"""How the names of the stem's tensors begin that DenseNet-121 lacks, or has in another shape."""
_COUNTER = "num_batches_tracked"
"""A tensor that nothing depends on; older files have none."""
_OLDER = re.compile(r"\.(norm|conv)\.(\d)\.")
"""How the published file spells ``.norm1.``."""


def convert_densenet(source: Path, target: Path) -> None:
    """Write the weights of torchvision's DenseNet-121 by our encoder's names.

    Parameters
    ----------
    source : Path
        Its state dict, as torch saves it or as safetensors; layers named ``norm1`` or, as in the published file,
        ``norm.1``.
    target : Path
        A safetensors file of the tensors that fit the full-size encoder, e.g. ``blocks.0.0.norm1.weight``.

    Raises
    ------
    DataError
        When the source is missing, damaged or another network's, or the target cannot be written.
    """
    theirs = {_OLDER.sub(r".\1\2.", name): tensor for name, tensor in _read(source).items()}
    ours = {}
    for key, shape in _shapes().items():
        name = densenet_name(key)
        if name in theirs and theirs[name].shape == shape:
            ours[key] = theirs[name]
        elif not key.endswith(_COUNTER):
            found = f"the shape {tuple(theirs[name].shape)}" if name in theirs else "no such tensor"
            raise DataError(f"{source}, {name}", found, f"the shape {tuple(shape)}", _REMEDY)
    save_weights(target, ours)


def load_encoder(model: D3Net, path: Path) -> int:
    """Copy an encoder's weights into a network, in place.

    Parameters
    ----------
    model : D3Net
        Of the full size; with any number of bands, since the first convolution keeps its own weights.
    path : Path
        A file that :func:`convert_densenet` wrote.

    Returns
    -------
    int
        The number of tensors copied.

    Raises
    ------
    DataError
        When the file is missing, damaged, or not such a file.
    ConfigError
        When the network has other sizes.
    """
    shapes, own = _shapes(), model.trunk.encoder.state_dict()
    known = {name: tensor for name, tensor in _read(path).items() if name in shapes}
    if not known:
        remedy = "Make the file from torchvision's DenseNet-121 with convert_densenet."
        raise DataError(path, "no tensor with a name of the encoder's", "an encoder's weights", remedy)
    for name, tensor in known.items():
        if name not in own or tensor.shape != own[name].shape:
            size = tuple(own[name].shape) if name in own else "missing"
            raise ConfigError(
                "pretrained", f"a network whose {name} is {size}", f"the full-size encoder's {tuple(tensor.shape)}",
                "Leave stem, growth, blocks and bottleneck of the model at their defaults, or set pretrained: none.",
            )  # fmt: skip
    for name, tensor in known.items():
        own[name].copy_(tensor)
    return len(known)


def _shapes() -> dict[str, torch.Size]:
    """Return the shapes of the tensors that the full-size encoder has in common with DenseNet-121."""
    spec = ModelSpec()
    with torch.device("meta"):
        encoder = Encoder(3, spec.stem, spec.growth, spec.blocks, spec.bottleneck)
    return {key: tensor.shape for key, tensor in encoder.state_dict().items() if not key.startswith(_OWN)}


def _read(path: Path) -> dict[str, Tensor]:
    """Read tensors by name, from safetensors or from what torch saved; no code in the file is run."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file fails in any way
        missing = isinstance(error, FileNotFoundError)
        found = "no file" if missing else f"a file that cannot be read ({_sentence(error)})"
        raise DataError(path, found, "weights by name", _REMEDY) from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise DataError(path, "other objects", "weights by name", _REMEDY)
    return state


def _sentence(error: Exception) -> str:
    """Return how an error begins: torch's explains at length how to trust a file."""
    return re.split(r"[.\n]", str(error), maxsplit=1)[0].strip() or type(error).__name__
