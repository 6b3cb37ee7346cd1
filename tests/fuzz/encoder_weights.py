"""Files of an encoder's weights: published ones, of either of torch's formats, and our own with their facts."""

import json
import random
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from fuzz.checkpoints import saved
from mtlaerial.config.registry import Registry
from mtlaerial.config.sources import WeightsInput
from mtlaerial.errors import DataError
from mtlaerial.models import Network, Trunk
from mtlaerial.models.encoder_decoder import InputScaling
from mtlaerial.models.encoders.encoder import Encoder
from mtlaerial.models.published import form
from mtlaerial.models.published.loading import load_encoder
from mtlaerial.models.published.weights_file import WeightsFacts, read_encoder_weights
from support.fuzz_trees import changed
from support.fuzzing import Target

SHAPES = {"first.weight": (2, 3, 1, 1), "first.bias": (2,)}
INPUT = WeightsInput(bands=("red", "green", "blue"), mean=(127, 127, 127), deviation=(128, 128, 128))


class Tiny(Encoder):
    """One convolution."""

    channels, strides = (2,), (1,)

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 2, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return its output."""
        return (self.first(image),)

    @property
    def first_convolution(self) -> nn.Conv2d:
        """The convolution."""
        return self.first

    def stages(self) -> list[nn.Module]:
        """Return the convolution."""
        return [self.first]


class TinyTrunk(Trunk):
    """The encoder, and a scaling that the weights set."""

    def __init__(self) -> None:
        super().__init__()
        self.scaling, self.encoder = InputScaling(3), Tiny()

    def decode(self, encoded: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the features as they are."""
        return encoded


def convert(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the published tensors, whose names are ours."""
    for name, shape in SHAPES.items():
        if name not in published or tuple(published[name].shape) != shape:
            raise DataError(name, "another tensor", f"the shape {shape}", "Get it anew.")
    return {name: published[name] for name in SHAPES}


FORM = form.PublishedForm(convert, INPUT)


class Fuzzed(Target):
    """The reading of weights, and their loading into a network."""

    suffix = ".safetensors"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        vars(form)["PUBLISHED"] = Registry("encoder", "none", {"tiny": f"{__name__}:FORM"}, "")
        self.state = {name: torch.ones(shape) for name, shape in SHAPES.items()}
        self.facts = WeightsFacts(name="tiny", encoder="tiny", input=INPUT, sha256="0" * 64)
        self.valid = [self._ours(self.facts.model_dump_json()), saved(self.state, True), saved(self.state, False)]

    def seeds(self) -> Sequence[bytes]:
        return [*self.valid, save(self.state)]

    def read(self, path: Path) -> None:
        place = path
        if path.read_bytes()[:2] in (b"PK", b"\x80\x02"):
            place = self.folder / "published.pth"
            shutil.copy(path, place)
        load_encoder(Network(TinyTrunk(), {}), read_encoder_weights(place, "tiny"), INPUT.bands)

    def structured(self, rng: random.Random) -> bytes:
        state: dict[Any, Any] = dict(self.state)
        if rng.random() < 0.5:
            return self._ours(WeightsFacts.model_dump_json(self.facts) if rng.random() < 0.1 else _odd(rng, self.facts))
        odd = [torch.ones(1).expand(2, 3, 1, 1), torch.ones(1).expand(10**10), "text", [1], torch.tensor(float("nan"))]
        odd += [torch.ones(2, 3, 1, 1, dtype=torch.complex64), torch.ones(2, 3, 1, 1, dtype=torch.int64), Path("x")]
        state[rng.choice(["first.weight", "first.bias", "other", 7, ""])] = rng.choice(odd)
        return saved(state, rng.random() < 0.5)

    def _ours(self, facts: str) -> bytes:
        return save(self.state, {"pretrained": facts})


def _odd(rng: random.Random, facts: WeightsFacts) -> str:
    """Return facts as JSON with changed parts, or other JSON, or none."""

    tree = changed(rng, json.loads(facts.model_dump_json()))
    texts = [json.dumps(tree, default=str), "[" * 100_000, "{}", "null", "[[1, 2]]", "NaN", ""]
    return rng.choices(texts, weights=[10, 1, 1, 1, 1, 1, 1])[0].encode("utf-8", "replace").decode()
