"""The contract of networks, whatever their encoder and decoder.

That of their runs is in tests/runs/test_network_contract_of_runs.py.
"""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mtlaerial.config import Task
from mtlaerial.models import Network
from mtlaerial.models.batchnorm_folding import folded
from mtlaerial.models.depthwise import DepthwiseConv2d
from mtlaerial.models.encoders.densenet import DenseNet
from mtlaerial.models.frozen_batchnorm import frozen_statistics
from mtlaerial.models.safetensors_io import load_weights, save_weights
from mtlaerial.prediction.monte_carlo_dropout import dropout_forward
from support import networks

SIZES = [(32, 32), (50, 71), (96, 160)]
TASKS: list[Any] = list(networks.OUTPUTS)


@pytest.fixture(scope="module", params=networks.EVERY)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def network(name: str) -> Network:
    """Return a network that has seen two batches; not to be changed."""
    torch.manual_seed(0)
    network = networks.built(name)
    with torch.no_grad():
        for weight in network.parameters():
            if not weight.any():  # e.g. of residual branches, which begin without effect
                weight.normal_(std=0.1)
        for _ in range(2):
            network(torch.rand(2, 3, 64, 64) * 2 - 1)
    return network.eval()


@pytest.fixture
def training(network: Network) -> Iterator[Network]:
    """Return the network in training mode, without gradients; its statistics are left alone."""
    with frozen_statistics(network):
        yield network.train()
    network.zero_grad()
    network.eval()


def image(rows: int = 64, columns: int = 64, bands: int = 3, batch: int = 1) -> Tensor:
    return torch.rand(batch, bands, rows, columns, generator=torch.Generator().manual_seed(rows)) * 2 - 1


def assert_close(outputs: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float = 1e-4) -> None:
    assert list(outputs) == list(expected) == TASKS
    for task, values in expected.items():
        torch.testing.assert_close(outputs[task], values, rtol=tolerance, atol=tolerance * float(values.abs().max()))


@torch.inference_mode()
def test_outputs_have_the_size_of_any_image(network: Network) -> None:
    for rows, columns in SIZES:
        shapes = {task: tuple(output.shape) for task, output in network(image(rows, columns, batch=2)).items()}
        assert shapes == {task: (2, channels, rows, columns) for task, channels in networks.OUTPUTS.items()}


@torch.inference_mode()
def test_the_padding_of_an_image_is_not_seen_where_it_is_a_multiple(network: Network) -> None:
    whole = image(2 * network.multiple, network.multiple)
    assert_close(network(whole), network.outputs(network.features(whole)), 0)


@pytest.mark.quick_cases(6, "builds a network a case")
@torch.inference_mode()
@pytest.mark.parametrize(("bands", "channels"), [(1, {"height": 1}), (4, {"semantics": 7, "height": 12, "cover": 2})])
def test_any_number_of_bands_and_tasks(name: str, bands: int, channels: dict[str, int]) -> None:
    with torch.device("meta"):  # large networks take seconds to draw
        network = networks.built(name, bands, channels).eval()
        outputs = network(torch.empty(1, bands, 64, 64))
    assert {task: output.shape[1] for task, output in outputs.items()} == channels
    assert network.trunk.encoder.first_convolution.in_channels == bands


def test_every_parameter_learns_from_the_sum_of_the_losses(training: Network) -> None:
    outputs = training(image(batch=2))
    torch.stack([output.square().mean() for output in outputs.values()]).sum().backward()
    idle = {name for name, weight in training.named_parameters() if weight.grad is None or not weight.grad.any()}
    # A shift of features that a convolution of one pixel and a batch norm follow: its gradient is 0 but for rounding.
    assert idle <= {"trunk.context.project.1.bias"}


@pytest.mark.parametrize("task", TASKS)
def test_a_task_trains_its_own_head_and_the_features(training: Network, task: str) -> None:
    features = training.features(image(batch=2))
    leaves = tuple(feature.detach().requires_grad_() for feature in features)
    for head_inputs in (features, leaves):  # weightings cut the graph between trunk and heads, or do not
        training.zero_grad()
        for leaf in leaves:
            leaf.grad = None
        training.outputs(head_inputs)[task].square().mean().backward()
        learning = {name for name, weight in training.named_parameters() if weight.grad is not None}
        head = {f"heads.{task}.{name}" for name, _ in training.heads[task].named_parameters()}
        assert {name for name in learning if name.startswith("heads.")} == head
        assert any(name.startswith("trunk.") for name in learning) == (head_inputs is features)
    assert all(leaf.grad is not None and bool(leaf.grad.any()) for leaf in leaves)


@torch.inference_mode()
def test_dropout_is_in_the_decoder_only(network: Network, name: str) -> None:
    places = [place for place, layer in network.named_modules() if isinstance(layer, nn.Dropout)]
    assert places
    assert not [place for place in places if not place.startswith("trunk.") or place.startswith("trunk.encoder")]
    with torch.device("meta"):
        without = networks.built(name, dropout=0)
    assert not [layer for layer in without.modules() if isinstance(layer, nn.Dropout)]


@torch.inference_mode()
def test_passes_with_dropout_differ_and_are_repeated(network: Network) -> None:
    first, second = dropout_forward(network, "32-true", torch.device("cpu"), 2, seed=0)(image())
    again, _ = dropout_forward(network, "32-true", torch.device("cpu"), 2, seed=0)(image())
    assert_close(dict(again), dict(first), 0)
    assert all(not torch.equal(first[task], second[task]) for task in TASKS)
    assert_close(network.decode(network.encode(image())), network(image()), 0)


@torch.inference_mode()
def test_evaluation_does_not_depend_on_the_batch_or_chance(network: Network) -> None:
    pictures = torch.cat([image(64, 64), image(64, 64).flip(3)])
    outputs = network(pictures)
    assert_close(network(pictures), outputs, 0)
    assert_close(network(pictures[:1]), {task: output[:1] for task, output in outputs.items()}, 1e-4)


@torch.inference_mode()
def test_folded_batch_norms_change_nothing(network: Network) -> None:
    assert_close(folded(network)(image(64, 96)), network(image(64, 96)))


def test_all_batch_norms_of_decoder_and_heads_are_folded(network: Network, name: str) -> None:
    parts = folded(network)
    places = [place for place, layer in parts.named_modules() if isinstance(layer, nn.BatchNorm2d)]
    assert not [place for place in places if not place.startswith("trunk.encoder")]
    assert not places or isinstance(network.trunk.encoder, DenseNet) or name in networks.EXTRAS


@torch.inference_mode()
def test_channels_last_changes_nothing(network: Network) -> None:
    last = deepcopy(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch types lack it
    assert_close(last(image(64, 96).contiguous(memory_format=torch.channels_last)), network(image(64, 96)))


@torch.inference_mode()
def test_a_file_of_weights_has_everything(network: Network, name: str, tmp_path: Path) -> None:
    save_weights(tmp_path / "model.safetensors", network.state_dict())
    torch.manual_seed(1)
    loaded = networks.built(name).eval()
    loaded.load_state_dict(load_weights(tmp_path / "model.safetensors"))
    assert_close(loaded(image()), network(image()), 1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("task", TASKS)
def test_a_network_without_an_output_gives_the_same_others(network: Network, task: Task) -> None:
    restricted = folded(network)
    restricted.restrict([task])
    outputs = restricted(image())
    assert list(outputs) == [task]
    torch.testing.assert_close(outputs[task], folded(network)(image())[task], rtol=0, atol=0)
    (idle,) = set(networks.OUTPUTS) - {task}
    assert not [name for name, _ in restricted.named_parameters() if idle in name and "last" in name]


@torch.inference_mode()
def test_all_convolutions_with_a_group_per_channel_train_in_float32(network: Network) -> None:
    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    depthwise = [layer for layer in convolutions if layer.groups == layer.in_channels > 1]
    assert all(isinstance(layer, DepthwiseConv2d) for layer in depthwise)
