"""Frozen parts of a network, and learning rates by part and stage."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mtlaerial.config.start import Part
from mtlaerial.errors import ConfigError
from mtlaerial.models.parts import encoder_stages, network_parts
from mtlaerial.runs.plan import RunPlan
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.freezing import Freezing, require_freezable
from mtlaerial.training.train import train
from mtlaerial.training.trainer import Trainer
from mtlaerial.weighting import build_weighting
from support import networks, tiny
from support.tiny import Folders
from support.trainings import RICH, Killed, assert_same_run, kill_after
from support.weightings import OPTIONS, every_weighting

BOTH = ("semantics", "height")
ENCODER, TRUNK = {"encoder": 2}, {"encoder": 2, "decoder": 2}


def plan_with(start: dict[str, Any], weighting: str = "equal", **training: Any) -> RunPlan:
    """Return the plan of a training that is fine-tuned, from random weights where its job has no others."""
    plan = tiny.run_plan(weighting={"name": weighting, **OPTIONS.get(weighting, {})}, **training)
    model = tiny.model_spec(pretrained={"source": "results/a_run", "parts": "all", **start})
    return plan.model_copy(update={"model": model})


@pytest.fixture
def make_trainer(tiles: Folders, statistics: Statistics) -> Callable[..., Trainer]:
    def build(start: dict[str, Any], weighting: str = "equal", **training: Any) -> Trainer:
        return Trainer(tiny.job(plan_with(start, weighting, **training), statistics, tiles["train"], []))

    return build


def state(trainer: Trainer, prefix: str) -> dict[str, Tensor]:
    tensors = trainer.network.state_dict().items()
    return {name: tensor.clone() for name, tensor in tensors if name.startswith(prefix)}


def steps(trainer: Trainer, number: int) -> None:
    """Make steps, of which an epoch has two, as the training loop does."""
    for _ in range(number):
        if trainer.step % 2 == 0:
            trainer._begin()
        trainer._train_step()


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> list[str]:
    return [name for name in before if not torch.equal(before[name], after[name])]


@pytest.mark.parametrize(
    ("part", "prefix"), [("encoder", "trunk.encoder."), ("decoder", "trunk.block"), ("heads", "heads.")]
)
def test_a_frozen_part_changes_in_no_bit_until_its_epoch(
    make_trainer: Callable[..., Trainer], part: str, prefix: str
) -> None:
    """Weight decay, running statistics and the passes that measure conflict included."""
    trainer = make_trainer({"freeze": {part: 2}}, weight_decay=0.1, clip_norm=1.0, log_every=1, epochs=3)
    whole, frozen = state(trainer, ""), state(trainer, prefix)
    steps(trainer, 4)
    assert changed(frozen, state(trainer, prefix)) == []
    others = set(whole) - set(frozen)
    assert set(changed(whole, state(trainer, ""))) == others
    steps(trainer, 1)
    assert set(changed(frozen, state(trainer, prefix))) == set(frozen)


@pytest.mark.parametrize("name", ["gated", pytest.param("efficientnet_lite0", marks=pytest.mark.full("large"))])
@pytest.mark.parametrize("part", ["encoder", "decoder", "heads"])
def test_parts_of_other_networks_are_frozen_as_well(name: str, part: Part) -> None:
    """A step of a network with scaled images, heads that exchange features, or batch norms in its encoder."""
    network = networks.built(name).train()
    prefixes = {"encoder": "trunk.encoder.", "decoder": "trunk.decoder.", "heads": "heads."}
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    Freezing(network, {part: 1}).apply(0)
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.1, weight_decay=0.5)
    outputs = network(torch.rand(2, 3, 64, 64))
    torch.stack([output.square().mean() for output in outputs.values()]).sum().backward()
    optimiser.step()
    moved = changed(before, dict(network.state_dict()))
    trained = {name for name, prefix in prefixes.items() if any(key.startswith(prefix) for key in moved)}
    assert trained == set(prefixes) - {part}
    Freezing(network, {part: 1}).apply(1)
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert all(module.training for module in network.modules())


def test_a_frozen_encoder_normalises_by_its_running_statistics(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer({"freeze": ENCODER})
    trainer._begin()
    image = torch.rand(2, 3, 32, 32)
    frozen = trainer.network.trunk.encoder(image)
    expected = trainer.network.eval().trunk.encoder(image)
    assert all(torch.equal(*pair) for pair in zip(frozen, expected, strict=True))
    assert not any(feature.requires_grad for feature in frozen)


@pytest.mark.quick_cases(4, "trains a network a case")
# Excluding those that remember a value for each parameter, which are refused.
@pytest.mark.parametrize("name", every_weighting(without=["moco", "db_mtl", "excess_mtl"]))
def test_every_weighting_trains_the_rest_of_the_network(make_trainer: Callable[..., Trainer], name: str) -> None:
    trainer = make_trainer({"freeze": ENCODER}, name, batch=4, accumulate=2)
    before = state(trainer, "")
    steps(trainer, 1)
    assert not any(parameter.grad is not None for parameter in trainer.network.trunk.encoder.parameters())
    moved = changed(before, state(trainer, ""))
    assert {name.split(".")[1] for name in moved if name.startswith("heads.")} == set(BOTH)
    assert any(name.startswith("trunk.block5") for name in moved)
    assert not any(name.startswith("trunk.encoder") for name in moved)


@pytest.mark.parametrize("name", ["equal", "uw", "dwa", "gradient_penalty"])
def test_weightings_by_losses_train_the_heads_alone(make_trainer: Callable[..., Trainer], name: str) -> None:
    trainer = make_trainer({"freeze": TRUNK}, name, batch=4, accumulate=2)
    trunk, heads = state(trainer, "trunk."), state(trainer, "heads.")
    steps(trainer, 1)
    assert changed(trunk, state(trainer, "trunk.")) == []
    assert set(changed(heads, state(trainer, "heads."))) == set(heads)


@pytest.mark.parametrize("name", ["mgda", "mgda_ub", "graddrop", "modo", "gradnorm"])
def test_weightings_by_gradients_need_a_part_of_the_trunk(
    tiles: Folders, statistics: Statistics, tmp_path: Path, name: str
) -> None:
    job = tiny.job(plan_with({"freeze": TRUNK}, name), statistics, tiles["train"], folder=tmp_path / "run")
    with pytest.raises(ConfigError, match=f"encoder and decoder with the weighting {name}.*Freeze the encoder alone"):
        train(job)
    require_freezable(plan_with({"freeze": ENCODER}, name))


@pytest.mark.parametrize("name", ["moco", "db_mtl", "excess_mtl"])
def test_weightings_that_remember_parameters_need_the_same_ones(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}, which remembers a value for each.*the same parameters"):
        require_freezable(plan_with({"freeze": ENCODER}, name))
    require_freezable(plan_with({"freeze": {"heads": 2}}, name))
    require_freezable(plan_with({"freeze": {"encoder": 9}}, name))  # of three epochs
    at_features = plan_with({"freeze": ENCODER})
    weighting = at_features.weighting.parse({"name": name, "level": "features"}, "weighting")
    require_freezable(at_features.model_copy(update={"weighting": weighting}))


@pytest.mark.parametrize("name", every_weighting())
def test_weightings_say_whether_they_remember_parameters(make_trainer: Callable[..., Trainer], name: str) -> None:
    """A state with as many numbers as the trunk has parameters is of the parameters."""
    trainer = make_trainer({}, name)
    steps(trainer, 1)
    numbers = sum(parameter.numel() for parameter in trainer.network.trunk.parameters())
    largest = max((tensor.numel() for tensor in tensors_in(trainer.weighting.state_dict())), default=0)
    assert build_weighting(trainer.plan.weighting, BOTH).tracks_parameters == (largest >= numbers)


def tensors_in(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    return [tensor for item in value.values() for tensor in tensors_in(item)] if isinstance(value, dict) else []


@pytest.mark.full("three trainings; what is frozen follows from the step alone")
def test_a_training_that_was_killed_before_the_unfreezing_ends_as_the_unbroken_one(
    tiles: Folders, statistics: Statistics, tmp_path: Path
) -> None:
    start = {"freeze": {"encoder": 2, "decoder": 1}, "rates": {"encoder": 0.1, "heads": 2}, "stage_decay": 0.5}
    plan = plan_with(start, **RICH)

    def run(name: str) -> Path:
        train(tiny.job(plan, statistics, tiles["train"], tiles["val"], tmp_path / name))
        return tmp_path / name

    whole = run("whole")
    for epoch in (1, 2):
        with pytest.MonkeyPatch.context() as patch:
            kill_after(patch, epoch)
            with pytest.raises(Killed):
                run(f"broken{epoch}")
        assert_same_run(run(f"broken{epoch}"), whole)


def test_rates_are_factors_of_the_first_step(make_trainer: Callable[..., Trainer]) -> None:
    """Adam's first step is as long as the rate, in the direction of the gradient's sign."""
    start = {"rates": {"encoder": 0.5, "decoder": 0.25, "heads": 2}, "stage_decay": 0.5}
    trainer = make_trainer(start, learning_rate=1e-2)
    network = trainer.network
    groups = [*encoder_stages(network), *(network_parts(network)[part].parameters for part in ("decoder", "heads"))]
    before = [[parameter.detach().clone() for parameter in group] for group in groups]
    steps(trainer, 1)
    lengths = [0.0] * len(groups)
    for number, group in enumerate(groups):
        changes = [float((new.detach() - old).abs().max()) for new, old in zip(group, before[number], strict=True)]
        lengths[number] = max(changes)
    expected = [5e-3 * 0.5**stage for stage in (4, 3, 2, 1, 0)] + [2.5e-3, 2e-2]
    assert lengths == pytest.approx(expected, rel=1e-2)
    assert sum(map(len, groups)) == len(list(network.parameters()))


def test_without_rates_the_optimiser_has_one_group(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer({"freeze": ENCODER})
    (group,) = trainer.optimiser.optimizer.param_groups
    assert [id(parameter) for parameter in group["params"]] == [
        id(parameter) for parameter in trainer.network.parameters()
    ]


def test_stages_that_leave_parameters_out_are_an_error(make_trainer: Callable[..., Trainer]) -> None:
    network = make_trainer({}).network
    stages = network.trunk.encoder.stages()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(network.trunk.encoder), "stages", lambda self: stages[1:])
        with pytest.raises(ConfigError, match=r"encoder DenseNet: found stages\(\) with other parameters"):
            encoder_stages(network)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ({"parts": "encoder", "freeze": {"decoder": 1}}, "decoder, which begins with random weights.*parts: trunk"),
        ({"parts": "trunk", "freeze": {"heads": 1}}, "heads, which begins with random weights.*parts: all"),
        ({"freeze": {"encoder": 1, "decoder": 1, "heads": 1}}, "all parts of the network"),
        ({"freeze": {"encoder": 0}}, "freeze"),
        ({"freeze": {"body": 1}}, "body"),
        ({"rates": {"encoder": 0}}, "rates"),
        ({"stage_decay": 1.5}, "stage_decay"),
    ],
)
def test_wrong_settings_are_refused(start: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan_with(start)
