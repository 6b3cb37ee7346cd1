"""Our network has the outputs of the original with the same weights, in every published variant."""

import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mtlaerial.config import D3NetSpec, Task
from mtlaerial.errors import DataError
from mtlaerial.models import build_model
from mtlaerial.models.original.checkpoint import OriginalCheckpoint
from support import original

WHERE = Path("original.pth.tar")
TASK: dict[str, Task] = {"depth": "height", "semantics": "semantics"}
"""Ours by the original's names."""
ORDERS: list[tuple[Task, ...]] = [
    ("height",), ("semantics",), ("height", "semantics"), ("semantics", "height"),
]  # fmt: skip
ORIGINAL = original.Sizes()
JOINT = (1, 21)
"""Outputs of the original's network for depth and the 21 codes of the DFC2018 labels, in this order."""


def outputs_of(tasks: Sequence[Task], classes: int) -> tuple[int, ...]:
    channels = {"height": 1, "semantics": classes}
    return tuple(channels[task] for task in tasks)


def ours(state: dict[str, Tensor], tasks: Sequence[Task], image: Tensor, dropout: float = 0.5) -> list[Tensor]:
    """Return the outputs of our network with the original's weights, in the order of the tasks."""
    checkpoint = OriginalCheckpoint.of(state, WHERE, dropout)
    model = build_model(checkpoint.model, checkpoint.bands, dict(zip(tasks, checkpoint.outputs, strict=True)))
    model.load_state_dict(checkpoint.weights(tasks))
    with torch.inference_mode():
        outputs = model.eval()(image)
    return [outputs[task] for task in tasks]


def small(outputs: Sequence[int] = (1, 6), skips: bool = True) -> dict[str, Tensor]:
    return original.weights(original.shapes(outputs, skips))


@pytest.mark.quick_cases(12, "a network a case")
@pytest.mark.parametrize("tasks", ORDERS, ids="-".join)
@pytest.mark.parametrize("skips", [True, False], ids=["skips", "plain"])
@pytest.mark.parametrize("dropout", [0.5, 0.0], ids=["dropout", "none"])
@pytest.mark.parametrize("classes", [1, 6, 21])
def test_every_variant_has_the_outputs_of_the_original(
    tasks: tuple[Task, ...], skips: bool, dropout: float, classes: int
) -> None:
    state, image = small(outputs_of(tasks, classes), skips), original.image(64, 96)
    with torch.inference_mode():
        expected = original.forward(state, image, skips)
    outputs = ours(state, tasks, image, dropout)
    for task, output, reference in zip(tasks, outputs, expected, strict=True):
        assert output.shape == (2, 1 if task == "height" else classes, 64, 96)
        torch.testing.assert_close(output, reference, rtol=0, atol=1e-4)


@pytest.mark.parametrize("tasks", ORDERS, ids="-".join)
@pytest.mark.parametrize("skips", [True, False], ids=["skips", "plain"])
def test_the_original_s_network_has_tensors_of_the_same_shapes(tasks: tuple[Task, ...], skips: bool) -> None:
    named = original.shapes(outputs_of(tasks, 21), skips, ORIGINAL)
    theirs = Counter(shape for name, shape in named.items() if not name.startswith(original.ALIAS))
    outputs = dict(zip(tasks, outputs_of(tasks, 21), strict=True))
    with torch.device("meta"):
        model = build_model(D3NetSpec(skips=skips), 3, outputs)
    assert Counter(tuple(tensor.shape) for tensor in model.state_dict().values()) == theirs


@pytest.mark.parametrize(
    ("tasks", "skips", "parameters"), [(("height", "semantics"), True, 24_692_224), (("height",), False, 21_394_496)]
)
def test_the_original_s_networks_have_as_many_parameters(tasks: tuple[Task, ...], skips: bool, parameters: int) -> None:
    with torch.device("meta"):
        model = build_model(D3NetSpec(skips=skips), 3, dict(zip(tasks, JOINT, strict=False)))
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


@pytest.fixture(scope="module")
def joint() -> list[Tensor]:
    """Return our outputs for the original's joint network."""
    return ours(original.weights(original.shapes(JOINT, True, ORIGINAL)), ORDERS[2], original.image())


@pytest.fixture(scope="module")
def height_alone() -> list[Tensor]:
    """Return ours for height alone, without skips and dropout."""
    return ours(original.weights(original.shapes((1,), False, ORIGINAL)), ORDERS[0], original.image(), dropout=0.0)


GOLDEN = {
    ("joint", 0): (0.049716, 0.134950, {
        (0, 0, 0, 0): 0.052622, (0, 0, 0, 127): -0.011770, (1, 0, 95, 0): -0.078722,
        (1, 0, 47, 64): -0.073903, (0, 0, 17, 101): 0.000845, (1, 0, 95, 127): -0.059274,
    }),
    ("joint", 1): (-0.029012, 0.222418, {
        (0, 0, 0, 0): 0.118066, (0, 20, 0, 127): 0.023479, (1, 0, 95, 0): 0.114141,
        (1, 10, 47, 64): 0.001001, (0, 7, 17, 101): -0.522696, (1, 20, 95, 127): 0.000252,
    }),
    ("height_alone", 0): (0.022429, 0.055219, {
        (0, 0, 0, 0): 0.053895, (0, 0, 0, 127): 0.049330, (1, 0, 95, 0): -0.037466,
        (1, 0, 47, 64): -0.020964, (0, 0, 17, 101): 0.009113, (1, 0, 95, 127): -0.018604,
    }),
}  # fmt: skip
"""Mean, standard deviation and pixels (image, channel, row, column) of the outputs of the original's own code.

Written down from marcelampc/mtl_aerial_images, run by torch on a CPU in evaluation mode, with the weights and the image
of tests/support/original.py: depth and semantics of the network with skips, and depth of the one for depth alone
without.
"""


@pytest.mark.quick_cases(1, "builds a whole D3Net")
@pytest.mark.parametrize(("network", "number"), list(GOLDEN))
def test_the_original_s_networks_give_what_the_original_s_code_gave(
    network: str, number: int, request: pytest.FixtureRequest
) -> None:
    output = request.getfixturevalue(network)[number].numpy()
    mean, std, pixels = GOLDEN[network, number]
    values = [output.mean(), output.std(), *(output[place] for place in pixels)]
    np.testing.assert_allclose(values, [mean, std, *pixels.values()], rtol=0, atol=1e-4)


REFERENCE = os.environ.get("MTLAERIAL_REFERENCE")


@pytest.mark.skipif(REFERENCE is None, reason="MTLAERIAL_REFERENCE names no folder with outputs of the original")
def test_all_pixels_of_the_reference_outputs() -> None:
    folder = Path(str(REFERENCE))
    cases = json.loads((folder / "d3net_cases.json").read_text(encoding="utf-8"))
    assert cases
    for name, case in cases.items():
        named = original.shapes(case["outputs"], case["skips"], ORIGINAL)
        assert {key: list(shape) for key, shape in named.items()} == case["keys"]
        tasks = [TASK[task] for task in case["tasks"]]
        results = ours(original.weights(named), tasks, original.image(), 0.5 if case["dropout"] else 0.0)
        with np.load(folder / f"d3net_{name}.npz") as outputs:
            for task, output in zip(case["tasks"], results, strict=True):
                np.testing.assert_allclose(output.numpy(), outputs[task], rtol=0, atol=1e-4)


@pytest.mark.parametrize("skips", [True, False])
def test_sizes_of_the_network_are_read_from_the_shapes(skips: bool) -> None:
    named = original.shapes((1, 21), skips, original.Sizes(bands=5, stem=10, growth=6, bottleneck=3, head=(9, 4)))
    state = {name: torch.zeros(shape) for name, shape in named.items()}
    checkpoint = OriginalCheckpoint.of(state, WHERE, dropout=0.25)
    expected = D3NetSpec(stem=10, growth=6, bottleneck=3, head=(9, 4), skips=skips, dropout=0.25)
    assert (checkpoint.model, checkpoint.bands, checkpoint.outputs) == (expected, 5, (1, 21))


def test_names_may_have_the_prefix_of_data_parallel_training() -> None:
    state = small()
    prefixed = OriginalCheckpoint.of({f"module.{name}": tensor for name, tensor in state.items()}, WHERE, 0.5)
    assert prefixed.state.keys() == OriginalCheckpoint.of(state, WHERE, 0.5).state.keys()
    assert prefixed.weights(ORDERS[2]).keys() == OriginalCheckpoint.of(state, WHERE, 0.5).weights(ORDERS[2]).keys()


def test_names_may_have_the_spelling_of_older_versions_of_torch() -> None:
    """They had a dot before the number of a dense layer's layers, as torchvision's published files have."""
    state = small()
    dotted = {re.sub(r"(denselayer\d+\.(?:norm|conv))", r"\1.", name): tensor for name, tensor in state.items()}
    assert "features.denseblock1.denselayer1.norm.1.weight" in dotted
    weights, expected = (OriginalCheckpoint.of(names, WHERE, 0.5).weights(ORDERS[2]) for names in (dotted, state))
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_a_tensor_in_both_spellings_is_refused() -> None:
    name = "features.denseblock1.denselayer1.norm{}1.weight"
    state = {**small(), name.format("."): torch.zeros(8)}
    with pytest.raises(DataError, match=rf"found two tensors {re.escape(name.format(''))}; expected"):
        OriginalCheckpoint.of(state, WHERE, 0.5)


@pytest.mark.parametrize("absent", [original.ALIAS, "last_common_layer"])
def test_either_name_of_the_third_block_will_do(absent: str) -> None:
    state, image = small(), original.image(32, 32)
    less = {name: tensor for name, tensor in state.items() if not name.startswith(absent)}
    assert len(less) < len(state)
    for output, reference in zip(ours(less, ORDERS[2], image), ours(state, ORDERS[2], image), strict=True):
        torch.testing.assert_close(output, reference, rtol=0, atol=0)


def test_counters_that_older_versions_of_torch_did_not_store_are_not_needed() -> None:
    state = {name: tensor for name, tensor in small().items() if not name.endswith("num_batches_tracked")}
    weights = OriginalCheckpoint.of(state, WHERE, 0.5).weights(ORDERS[2])
    assert weights["trunk.encoder.norm0.num_batches_tracked"].item() == 0


def test_weights_of_tasks_are_no_part_of_the_network() -> None:
    state = {**small(), "omegas": torch.ones(2)}
    weights = OriginalCheckpoint.of(state, WHERE, 0.5).weights(ORDERS[2])
    assert weights.keys() == OriginalCheckpoint.of(small(), WHERE, 0.5).weights(ORDERS[2]).keys()


def changed(state: dict[str, Tensor], **tensors: Tensor | None) -> dict[str, Tensor]:
    """Return the state with tensors replaced, added, or taken out (None); ``__`` stands for a dot."""
    named = {name.replace("__", "."): tensor for name, tensor in tensors.items()}
    return {name: tensor for name, tensor in {**state, **named}.items() if tensor is not None}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features__norm5__bias": None}, r"no features\.norm5\.bias"),
        ({"decoder__d_block4__0__conv1__bias": None}, r"no decoder\.d_block4\.0\.conv1\.bias"),
        ({"features__conv0__weight": None}, r"no features\.conv0\.weight"),
        ({"features__norm5__bias": torch.zeros(3)}, r"wrong features\.norm5\.bias of shape \(3,\) instead of \(\d+,\)"),
        ({"features__conv0__weight": torch.zeros(())}, r"features\.conv0\.weight of shape \(\)"),
        ({"decoder_tasks__1__last_conv__bias": torch.zeros(6)}, r"unexpected decoder_tasks\.1\.last_conv\.bias"),
        (
            {"features__norm5__bias": torch.full((16,), torch.nan)},
            r"other than finite numbers in features\.norm5\.bias",
        ),
        ({"features__norm5__bias": torch.zeros(16).int()}, r"other than finite numbers in features\.norm5\.bias"),
        ({"decoder_tasks__2__last_conv__weight": torch.zeros(1)}, "3 decoder_tasks; expected one or two"),
        ({"features__denseblock4__denselayer1__conv1__weight": None}, r"no features\.denseblock4\.denselayer1\.conv1"),
    ],
)
def test_tensors_that_do_not_fit_are_named(change: dict[str, Tensor | None], message: str) -> None:
    with pytest.raises(DataError, match=rf"original\.pth\.tar.*{message}"):
        OriginalCheckpoint.of(changed(small(), **change), WHERE, 0.5).weights(ORDERS[2])


def test_of_many_faults_some_are_named() -> None:
    state = {name: tensor for name, tensor in small().items() if "denseblock3" not in name or "conv1" in name}
    with pytest.raises(DataError, match=r"no features\.denseblock3\.denselayer1\.norm1\.weight, .* and \d+ more;"):
        OriginalCheckpoint.of(state, WHERE, 0.5).weights(ORDERS[2])


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(DataError, match=r"0 decoder_tasks; .* Only checkpoints of mtl_aerial_images can be imported\."):
        OriginalCheckpoint.of({"layer1.0.conv1.weight": torch.zeros(64, 3, 3, 3)}, WHERE, 0.5)
