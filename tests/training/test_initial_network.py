"""Weights that a training begins with: their distribution, their seed, and pretrained ones on top."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from mtlaerial.config import D3NetSpec, EncoderDecoderSpec
from mtlaerial.config.encoder import EncoderSpec
from mtlaerial.errors import DataError
from mtlaerial.models import build_model
from mtlaerial.models.encoder_decoder import build_encoder
from mtlaerial.models.published.renaming import IMAGENET
from mtlaerial.models.published.weights_file import EncoderWeights, WeightsFacts, save_encoder_weights
from mtlaerial.models.safetensors_io import save_weights
from mtlaerial.runs.start import StartRecord
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.initial_network import initial_network
from mtlaerial.training.trainer import Trainer
from support import tiny
from support.tiny import Folders


def initial_weights(
    statistics: Statistics, model: D3NetSpec, seed: int = 0, pretrained: Path | None = None
) -> dict[str, Tensor]:
    """Return the state dict of a network before its first step, drawn with a seed."""
    plan = tiny.run_plan().model_copy(update={"model": model})
    torch.manual_seed(seed)
    network = initial_network(tiny.job(plan, statistics, [], pretrained=pretrained))
    return dict(network.state_dict())


def of_convolutions(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: weight for name, weight in weights.items() if weight.ndim == 4}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of an encoder's weights, each 7."""
    path = tmp_path_factory.mktemp("pretrained") / "densenet121.safetensors"
    with torch.device("meta"):  # shapes without memory
        state = build_model(D3NetSpec(), 3, {"height": 1}).trunk.encoder.state_dict()
    names = [name for name in state if not name.startswith(("conv0.", "downconv0.", "norm1."))]
    save_weights(path, {name: torch.full(state[name].shape, 7.0) for name in names})
    return path


def test_normal_weights_have_the_original_s_moments(statistics: Statistics, encoder: Path) -> None:
    """N(0, 0.02) for convolutions, N(1, 0.02) for scales, biases 0; pretrained tensors replace what they fit."""
    model = D3NetSpec.parse({"initialisation": "normal", "pretrained": "densenet121"}, "model")
    weights = initial_weights(statistics, model, pretrained=encoder)
    published = {name for name in weights if name.startswith("trunk.encoder.") and (weights[name] == 7).all()}
    assert published == {f"trunk.encoder.{name}" for name in load_file(encoder)}
    drawn = {name: weight for name, weight in weights.items() if name not in published}
    convolutions = of_convolutions(drawn)
    assert {"trunk.encoder.conv0.weight", "trunk.block5.0.weight", "heads.height.last.weight"} <= set(convolutions)
    for name, weight in convolutions.items():
        number = weight.numel()
        assert abs(float(weight.mean())) < 5 * 0.02 / number**0.5, name
        assert float(weight.std()) == pytest.approx(0.02, abs=5 * 0.02 / (2 * number) ** 0.5), name
    scales = torch.cat([weight for name, weight in drawn.items() if weight.ndim == 1 and name.endswith("weight")])
    assert float(scales.mean()) == pytest.approx(1, abs=0.002)
    assert float(scales.std()) == pytest.approx(0.02, abs=0.002)
    assert all((weight == 0).all() for name, weight in drawn.items() if name.endswith("bias"))


def test_weights_of_another_file_than_stated_are_refused(statistics: Statistics, tmp_path: Path) -> None:
    """A fetched file may stay where the configuration names another one by now."""
    encoder = build_encoder(EncoderSpec(name="efficientnet_lite0"), 3)
    facts = WeightsFacts(name="lite", encoder="efficientnet_lite0", input=IMAGENET, sha256="a" * 64)
    save_encoder_weights(tmp_path / "lite.safetensors", EncoderWeights(tmp_path, facts, encoder.state_dict()))
    model = EncoderDecoderSpec.parse({"encoder": "efficientnet_lite0", "pretrained": "lite"}, "model")
    plan = tiny.run_plan().model_copy(update={"model": model})

    def begun(sha256: str) -> None:
        start = StartRecord(kind="published", name="lite", sha256=sha256)
        initial_network(tiny.job(plan, statistics, [], pretrained=tmp_path / "lite.safetensors", start=start))

    begun("a" * 64)
    with pytest.raises(DataError, match=r"found weights of a file with the SHA-256 a{12}…; expected b{12}…, as"):
        begun("b" * 64)


def test_weights_are_normal_and_not_uniform(statistics: Statistics) -> None:
    weights = initial_weights(statistics, tiny.model_spec(initialisation="normal"))
    weight = weights["trunk.encoder.downconv0.weight"] / 0.02
    shares = [float((weight.abs() > limit).float().mean()) for limit in (1, 2)]
    assert shares == pytest.approx([0.317, 0.046], abs=0.05)  # uniform weights of this deviation: 0.423, 0


@pytest.mark.parametrize("initialisation", ["default", "normal"])
def test_initial_weights_follow_from_the_seed(statistics: Statistics, tiles: Folders, initialisation: str) -> None:
    model = tiny.model_spec(initialisation=initialisation)

    def begun(seed: int) -> dict[str, Tensor]:
        plan = tiny.run_plan(seed=seed).model_copy(update={"model": model})
        return of_convolutions(Trainer(tiny.job(plan, statistics, tiles["train"])).network.state_dict())

    first, again, another = begun(3), begun(3), begun(4)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], another[name]) for name in first)


def test_the_default_draws_as_before(statistics: Statistics) -> None:
    torch.manual_seed(5)
    expected = build_model(tiny.model_spec(), 3, {"semantics": 6, "height": 1}).state_dict()
    weights = initial_weights(statistics, tiny.model_spec(), seed=5)
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
