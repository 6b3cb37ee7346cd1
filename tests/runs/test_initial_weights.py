"""Weights of a run for a network that is fine-tuned: parts, bands, classes, units, and what does not fit."""

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from mtlaerial.config import D3NetSpec, EncoderDecoderSpec
from mtlaerial.config.model import NetworkSpec
from mtlaerial.config.start import StartSpec
from mtlaerial.errors import UserError
from mtlaerial.models import Network, build_model
from mtlaerial.models.adapted_weights import for_bands, tensors_of
from mtlaerial.runs.initial_weights import load_initial_weights
from mtlaerial.runs.initial_weights_check import require_usable_weights
from mtlaerial.runs.plan import RunPlan, task_outputs
from mtlaerial.runs.run import load_description, save_description
from mtlaerial.runs.weights import load_provenance, save_run_weights
from mtlaerial.tiles.statistics import BandStatistics, Statistics
from support import networks, tiny
from support.small_runs import drawn_run

BOTH = ("semantics", "height")
LITE = {"encoder": "efficientnet_lite0", "decoder": "resize"}


def plan_of(
    parts: str, tasks: tuple[str, ...] = BOTH, unit: float = 5, model: dict[str, Any] | None = None, **o: Any
) -> RunPlan:
    """Return the plan of a training that takes weights from a run."""
    start = {"source": "results/a_run", "parts": parts, **o}
    spec = tiny.model_spec(pretrained=start, **(model or {}))
    return tiny.run_plan(tasks, height_unit=unit).model_copy(update={"model": spec})


def build(plan: RunPlan, statistics: Statistics, seed: int = 8) -> Network:
    torch.manual_seed(seed)
    return build_model(plan.model, len(statistics.bands), task_outputs(plan, statistics))


def begun(folder: Path, plan: RunPlan, statistics: Statistics) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the weights of a network before and after it takes those of a run."""
    network = build(plan, statistics)
    drawn = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    load_initial_weights(folder, network, plan, statistics)
    return drawn, dict(network.state_dict())


def with_classes(statistics: Statistics, *names: str) -> Statistics:
    by_name = {entry.name: entry for entry in statistics.classes}
    first = statistics.classes[0]
    entries = [by_name.get(name, first).model_copy(update={"name": name}) for name in names]
    return statistics.model_copy(update={"classes": tuple(entries)})


def with_bands(statistics: Statistics, *names: str) -> Statistics:
    bands = tuple(BandStatistics(name=name, index=number + 1) for number, name in enumerate(names))
    return statistics.model_copy(update={"bands": bands})


@pytest.fixture
def run(tmp_path: Path, statistics: Statistics) -> Path:
    """Return the folder of a run of both tasks."""
    return drawn_run(tmp_path / "source", tiny.run_plan(), statistics)


@pytest.mark.parametrize(
    ("parts", "prefixes"),
    [("encoder", "trunk.encoder."), ("trunk", "trunk."), ("all", ("trunk.", "heads."))],
)
def test_parts_take_the_very_weights_of_the_run(
    run: Path, statistics: Statistics, parts: str, prefixes: str | tuple[str, ...]
) -> None:
    source = load_file(run / "model.safetensors")
    drawn, weights = begun(run, plan_of(parts), statistics)
    for name, tensor in weights.items():
        expected = source if name.startswith(prefixes) else drawn
        assert torch.equal(tensor, expected[name]), name


def test_the_encoder_fits_below_another_decoder(
    run: Path, statistics: Statistics, caplog: pytest.LogCaptureFixture
) -> None:
    source = load_file(run / "model.safetensors")
    plan = plan_of("encoder", model={"shared": [8, 8, 4], "head": [4, 4], "skips": False, "reduction": 2})
    _, weights = begun(run, plan, statistics)
    encoder = [name for name in weights if name.startswith("trunk.encoder.")]
    assert all(torch.equal(weights[name], source[name]) for name in encoder)
    assert "its network differs in reduction (1 in the run, here 2)" in caplog.text


def test_classes_take_the_channel_of_their_namesake(
    run: Path, statistics: Statistics, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    names = [entry.name for entry in statistics.classes]
    source = load_file(run / "model.safetensors")["heads.semantics.last.weight"]
    drawn, weights = begun(run, plan_of("all"), with_classes(statistics, "tree", "rail", "building"))
    head = weights["heads.semantics.last.weight"]
    assert torch.equal(head[0], source[names.index("tree")])
    assert torch.equal(head[1], drawn["heads.semantics.last.weight"][1])
    assert torch.equal(head[2], source[names.index("building")])
    assert "classes with weights of the run: tree, building; with random weights: rail" in caplog.text


@pytest.mark.parametrize("unit", [1.0, 20.0, 3.7])
def test_another_unit_of_heights_gives_the_same_metres(run: Path, statistics: Statistics, unit: float) -> None:
    image = torch.rand(1, 3, 64, 64)
    metres = []
    for plan in (plan_of("all"), plan_of("all", unit=unit)):
        network = build(plan, statistics).eval()
        load_initial_weights(run, network, plan, statistics)
        metres.append(network(image)["height"] * plan.training.height_unit)
    assert metres[0].abs().mean() > 1e-3
    torch.testing.assert_close(*metres)


def test_a_run_of_more_tasks_and_in_16_bit_floats_is_taken(tmp_path: Path, run: Path, statistics: Statistics) -> None:
    halved = {
        name: tensor.half() if tensor.ndim > 1 else tensor
        for name, tensor in load_file(run / "model.safetensors").items()
    }
    shipped = tmp_path / "shipped"
    save_run_weights(shipped, load_provenance(run), halved, {})
    save_description(shipped, tiny.run_plan(), statistics)
    _, weights = begun(shipped, plan_of("all", tasks=("height",)), statistics)
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32, torch.int64}
    assert all(torch.equal(tensor, halved[name].to(tensor.dtype)) for name, tensor in weights.items())


def test_bands_are_matched_by_name(run: Path, statistics: Statistics) -> None:
    """The run knows red, green and blue; nir takes what new_bands says, here the kernels of red."""
    source = load_file(run / "model.safetensors")["trunk.encoder.conv0.weight"]
    swapped = with_bands(statistics, "blue", "green", "red")
    _, weights = begun(run, plan_of("trunk"), swapped)
    assert torch.equal(weights["trunk.encoder.conv0.weight"], source[:, [2, 1, 0]])
    four = with_bands(statistics, "nir", "red", "green", "blue")
    with pytest.raises(UserError, match="found no entry for the band nir"):
        begun(run, plan_of("trunk"), four)
    _, weights = begun(run, plan_of("trunk", new_bands={"nir": "red"}), four)
    adapted = weights["trunk.encoder.conv0.weight"]
    assert torch.equal(adapted[:, 0], adapted[:, 1])
    torch.testing.assert_close(adapted.sum(1), source.sum(1))


@pytest.mark.parametrize(("rule", "nir"), [("green", 2.0), ("mean", 2.0), ("zero", 2.0), ("red", 1.0)])
def test_the_scaling_of_the_image_is_taken_along(rule: str, nir: float) -> None:
    spec: NetworkSpec = EncoderDecoderSpec.parse(LITE, "model")
    source = build_model(spec, 3, {"height": 1})
    source.trunk.scaling.scale.copy_(torch.tensor([1.0, 2.0, 3.0]))
    source.trunk.scaling.shift.copy_(torch.tensor([-1.0, -2.0, -3.0]))
    tensors = tensors_of(source, "encoder", ["height"])
    adapted = for_bands(tensors, source, ["red", "green", "blue"], ["nir", "blue", "red"], {"nir": rule})
    assert adapted["trunk.scaling.scale"].tolist() == [nir, 3, 1]
    assert adapted["trunk.scaling.shift"].tolist() == [-nir, -3, -1]


@pytest.mark.parametrize("finest", [2, 1])
def test_an_image_with_its_bands_in_another_order_has_the_same_features(finest: int) -> None:
    """With heads at each pixel the image itself goes into a convolution besides the encoder's."""
    decoder = {**networks.SMALL, "finest": finest}
    spec: NetworkSpec = EncoderDecoderSpec.parse({"encoder": "small", "decoder": decoder}, "model")
    source, network = (build_model(spec, 3, {"height": 1}).eval() for _ in range(2))
    tensors = for_bands(tensors_of(source, "all", ["height"]), source, ["r", "g", "b"], ["b", "g", "r"], {})
    network.load_state_dict({**network.state_dict(), **tensors})
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        for mine, theirs in zip(network.features(image.flip(1)), source.features(image), strict=True):
            torch.testing.assert_close(mine, theirs)


@pytest.mark.full("a large network")
def test_an_encoder_that_takes_the_image_as_it_is_fits_a_network_that_scales_it(
    tmp_path: Path, statistics: Statistics
) -> None:
    """D3Net's encoder below a decoder without a grid: the scaling stays the identity."""
    model = D3NetSpec.parse({"shared": [8, 8, 8], "head": [4, 4]}, "model")
    run = drawn_run(tmp_path / "run", tiny.run_plan().model_copy(update={"model": model}), statistics)
    dense = {"encoder": "densenet121", "decoder": networks.SMALL}
    start = {"source": "results/a_run", "new_bands": {"nir": "red"}}
    plan = tiny.run_plan().model_copy(update={"model": EncoderDecoderSpec.parse({**dense, "pretrained": start}, "m")})
    _, weights = begun(run, plan, with_bands(statistics, "red", "green", "blue", "nir"))
    source = load_file(run / "model.safetensors")
    assert torch.equal(weights["trunk.encoder.norm5.weight"], source["trunk.encoder.norm5.weight"])
    assert weights["trunk.scaling.scale"].tolist() == [1] * 4
    assert weights["trunk.scaling.shift"].tolist() == [0] * 4


def test_heads_that_exchange_features_are_taken_with_all_their_tasks(tmp_path: Path, statistics: Statistics) -> None:
    decoder = {**networks.SMALL, "exchange": "gated"}
    spec = EncoderDecoderSpec.parse({"encoder": "small", "decoder": decoder}, "model")
    run = drawn_run(tmp_path / "run", tiny.run_plan().model_copy(update={"model": spec}), statistics)
    start = {"source": "results/a_run", "parts": "all"}
    plan = plan_of("all").model_copy(update={"model": spec.model_copy(update={"pretrained": StartSpec(**start)})})
    begun(run, plan, statistics)
    alone = plan.model_copy(update={"tasks": ("height",)})
    with pytest.raises(UserError, match=r"features of semantics, which is not trained here; .*parts: trunk"):
        begun(run, alone, statistics)


def test_a_trunk_of_another_finest_stride_is_refused_by_its_key(tmp_path: Path, statistics: Statistics) -> None:
    """A run states the default by leaving it out; the encoder alone fits."""
    half, whole = (
        {"encoder": "small", "decoder": {**networks.SMALL, "finest": finest}, "pretrained": "results/a_run/"}
        for finest in (2, 1)
    )
    run = drawn_run(tmp_path / "run", plan_with(half), statistics)
    with pytest.raises(UserError, match=r"decoder\.finest \(2 in the run, here 1\)"):
        begun(run, plan_with({**whole, "pretrained": {"source": "results/a_run", "parts": "trunk"}}), statistics)
    drawn, weights = begun(run, plan_with(whole), statistics)
    source = load_file(run / "model.safetensors")
    stem = [name for name in weights if name.startswith("trunk.stem.")]
    assert stem
    assert all(torch.equal(weights[name], drawn[name]) for name in stem)
    encoder = [name for name in weights if name.startswith("trunk.encoder.")]
    assert all(torch.equal(weights[name], source[name]) for name in encoder)


def plan_with(model: dict[str, Any]) -> RunPlan:
    return tiny.run_plan().model_copy(update={"model": EncoderDecoderSpec.parse(model, "model")})


@pytest.mark.parametrize(
    ("tasks", "plan", "message"),
    [
        (
            ("semantics",),
            plan_of("all"),
            "found a run of semantics; expected one with weights for height.*parts: trunk",
        ),
        (
            BOTH,
            plan_of("encoder", model={"growth": 6}),
            r"found 8 x 8 x 1 x 1; expected 12 x 8 x 1 x 1.*growth \(4 in the run, here 6\)",
        ),
        (BOTH, plan_of("trunk", model={"skips": False}), r"skips \(True in the run, here False\).*fewer parts"),
    ],
)
def test_what_does_not_fit_is_one_sentence_and_changes_nothing(
    tmp_path: Path, statistics: Statistics, tasks: tuple[str, ...], plan: RunPlan, message: str
) -> None:
    folder = drawn_run(tmp_path / "source", tiny.run_plan(tasks), statistics)
    network = build(plan, statistics)
    drawn = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(UserError, match=message) as error:
        load_initial_weights(folder, network, plan, statistics)
    assert str(folder) in str(error.value)
    assert "\n" not in str(error.value)
    assert all(torch.equal(tensor, drawn[name]) for name, tensor in network.state_dict().items())


def test_a_missing_or_damaged_run_is_one_sentence(tmp_path: Path, run: Path, statistics: Statistics) -> None:
    with pytest.raises(UserError, match="found no such folder; expected the folder of a trained run"):
        begun(tmp_path / "nowhere", plan_of("all"), statistics)
    path = run / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 64
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"SHA-256 .*They are of two runs, or damaged"):
        begun(run, plan_of("all"), statistics)


BINS: dict[str, Any] = {"height_head": {"name": "bins", "count": 8}, "height_loss": "likelihood"}


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ({}, BINS, r"found linear \(.*height_unit 5.0\); expected bins \(count 8, .*, as parts is all\. Write"),
        (BINS, {}, "found bins .*; expected linear"),
        (BINS, {**BINS, "height_head": {"name": "bins", "count": 8, "largest": 50}}, "largest 60.0.*largest 50.0"),
        ({"height_head": "log1p"}, {"height_head": "log1p", "height_unit": 1}, "height_unit 5.0.*height_unit 1.0"),
        ({}, {"height_non_negative": True}, "non_negative False.*non_negative True"),
    ],
)
def test_a_run_of_another_height_head_is_refused_unless_the_head_begins_anew(
    tmp_path: Path, statistics: Statistics, before: dict[str, Any], now: dict[str, Any], words: str
) -> None:
    source = drawn_run(tmp_path / "source", tiny.run_plan(**before), statistics)
    plans = [tiny.run_plan(**now).model_copy(update={"model": plan_of(parts).model}) for parts in ("all", "trunk")]
    with pytest.raises(UserError, match=words):
        load_initial_weights(source, build(plans[0], statistics), plans[0], statistics)
    bands = [band.name for band in statistics.bands]
    with pytest.raises(UserError, match=words):
        require_usable_weights(source, load_description(source).plan, bands, plans[0], bands)
    load_initial_weights(source, build(plans[1], statistics), plans[1], statistics)


def test_bins_are_the_same_metres_in_another_unit_and_with_other_labels(tmp_path: Path, statistics: Statistics) -> None:
    source = drawn_run(tmp_path / "source", tiny.run_plan(**BINS), statistics)
    changes = {"height_head": {**BINS["height_head"], "softness": 2}, "height_unit": 1}
    plan = tiny.run_plan(**{**BINS, **changes}).model_copy(update={"model": plan_of("all").model})
    _, weights = begun(source, plan, statistics)
    for name, tensor in load_file(source / "model.safetensors").items():
        assert torch.equal(weights[name], tensor)
