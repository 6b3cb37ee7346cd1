"""The training step: gradient accumulation, clipping, compiled networks, and activation checkpointing."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from lightning_fabric.plugins.precision import MixedPrecision
from pydantic import ValidationError
from safetensors.torch import load_file
from torch import Tensor, nn

from mtlaerial.errors import ConfigError, TrainingError
from mtlaerial.runs.history_columns import LEVELS
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.train import train
from mtlaerial.training.trainer import Trainer
from mtlaerial.weighting.task_gradients import assign
from support import tiny
from support.tiny import Folders
from support.weightings import OPTIONS, every_weighting


@pytest.fixture
def make_trainer(tiles: Folders, statistics: Statistics) -> Callable[..., Trainer]:
    """Return a function that builds a trainer for some weighting and recipe."""

    def build(name: str = "equal", **training: Any) -> Trainer:
        plan = tiny.run_plan(weighting={"name": name, **OPTIONS.get(name, {})}, **training)
        return Trainer(tiny.job(plan, statistics, tiles["train"], []))

    return build


def flat(tensors: Iterable[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])


def gradients(trainer: Trainer, step: int = 0) -> Tensor:
    """Return all gradients of a step, in double precision, with normalising layers that see no batch."""
    trainer.network.eval().double()
    normalise = trainer.update.batches.normalise
    trainer.update.batches.normalise = lambda image: normalise(image).double()  # type: ignore[assignment]  # a lambda for a module
    trainer.optimiser.zero_grad()
    trainer.update.forward_backward(step, trainer.update.batches.draw(step))
    return torch.cat([parameter.grad.flatten() for parameter in trainer.network.parameters()])


@pytest.mark.quick_cases(4, "trains a network a case")
# GradDrop masks each element of the features at random: another mask for other passes.
@pytest.mark.parametrize("name", every_weighting(without=["graddrop"]))
def test_passes_add_up_to_the_batch(make_trainer: Callable[..., Trainer], name: str) -> None:
    whole, parts = (gradients(make_trainer(name, batch=4, accumulate=number)) for number in (1, 2))
    assert whole.norm() > 0
    assert (whole - parts).norm() < 1e-5 * whole.norm()


def test_the_order_in_memory_changes_nothing(make_trainer: Callable[..., Trainer]) -> None:
    last, first = (gradients(make_trainer("uw", channels_last=last)) for last in (True, False))
    assert (last - first).norm() < 1e-10 * last.norm()


def test_a_batch_is_divided_evenly() -> None:
    with pytest.raises(ConfigError, match=r"found 6; expected a multiple of accumulate \(4\)"):
        tiny.training_spec(batch=6, accumulate=4)


def test_dropout_differs_between_passes_and_is_repeated(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer(batch=4, accumulate=2)
    (drawn,) = trainer.update.batches.draw(0)
    first, second = drawn.parts(2)
    assert first.seed != second.seed
    assert [part.seed for part in trainer.update.batches.draw(0)[0].parts(2)] == [first.seed, second.seed]
    assert trainer.update.batches.draw(1)[0].seed != drawn.seed


def norm(parameters: Iterable[nn.Parameter]) -> float:
    return float(flat(parameter.grad for parameter in parameters if parameter.grad is not None).norm())


def test_long_gradients_are_shortened(make_trainer: Callable[..., Trainer]) -> None:
    trainer, free = make_trainer(clip_norm=1e-3), make_trainer()
    trainer.update(0)
    free.update(0)
    assert norm(trainer.network.parameters()) == pytest.approx(1e-3, rel=1e-3)
    assert norm(free.network.parameters()) > 1e-2


def test_the_norm_is_that_of_the_network_alone(make_trainer: Callable[..., Trainer]) -> None:
    free = make_trainer("uw")
    free.update(0)
    length, learned = norm(free.network.parameters()), norm(free.weighting.parameters())
    limit = 1.01 * length
    assert (length**2 + learned**2) ** 0.5 > limit
    trainer = make_trainer("uw", clip_norm=limit)
    trainer.update(0)
    for one, expected in zip(parameters(trainer), parameters(free), strict=True):
        assert torch.equal(one.grad, expected.grad)
    short = make_trainer("uw", clip_norm=1e-3)
    short.update(0)
    assert norm(short.network.parameters()) == pytest.approx(1e-3, rel=1e-3)
    assert norm(short.weighting.parameters()) == learned


def parameters(trainer: Trainer) -> list[nn.Parameter]:
    return [*trainer.network.parameters(), *trainer.weighting.parameters()]


class Scaled(MixedPrecision):
    """32-bit arithmetic with the scaler of 16-bit floats."""

    def __init__(self, scale: float = 1024.0) -> None:
        super().__init__("16-mixed", "cpu", torch.amp.GradScaler("cpu", init_scale=scale))

    def forward_context(self) -> Any:
        return nullcontext()


@pytest.mark.parametrize(("name", "limit"), [("uw", 0.05), ("famo", 0.05), ("uw", None)])
def test_scaled_gradients_are_clipped_as_others(
    make_trainer: Callable[..., Trainer], name: str, limit: float | None
) -> None:
    """A scale that is a power of two changes no digit: compare with the step in 32 bits."""
    plain, scaled = make_trainer(name, clip_norm=limit), make_trainer(name, clip_norm=limit)
    scaled.fabric.strategy._precision = Scaled()
    for trainer in (plain, scaled):
        for step in range(2):
            update = trainer.update(step)
    assert update.skipped is not None
    assert not update.skipped
    for one, expected in zip(parameters(scaled), parameters(plain), strict=True):
        torch.testing.assert_close(one, expected, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["uw", "famo"])
def test_an_overflow_skips_the_update_and_is_said(
    make_trainer: Callable[..., Trainer], caplog: pytest.LogCaptureFixture, name: str
) -> None:
    trainer = make_trainer(name, clip_norm=0.05, log_every=1)
    trainer.fabric.strategy._precision = Scaled()
    (first, *_) = trainer.network.parameters()
    first.register_hook(lambda gradient: gradient.fill_(torch.inf) if trainer.step == 0 else gradient)
    before = [parameter.detach().clone() for parameter in parameters(trainer)]
    trainer._begin()
    trainer._train_step()
    for one, expected in zip(parameters(trainer), before, strict=True):
        assert torch.equal(one, expected)
    assert trainer.history.rows[-1]["skipped"] == 1
    assert "1 of the 1 updates up to step 1 had no effect" in caplog.text
    trainer._train_step()
    assert trainer.history.rows[-1]["skipped"] == 0
    assert all(bool(parameter.isfinite().all()) for parameter in parameters(trainer))
    assert not torch.equal(first, before[0])


def test_parameters_of_a_weighting_are_updated_without_decay(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer("uw", learning_rate=0.01, weight_decay=10.0)
    trainer.update(0)
    # Adam's first step is the rate, along the sign; a decay of 10 does not touch what is not the network's.
    for learned in trainer.weighting.parameters():
        torch.testing.assert_close(learned.detach().abs().cpu(), torch.tensor(0.01))


def test_the_forward_pass_after_the_update_changes_no_statistics(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer("famo")
    trainer.network.train()
    observed: list[Tensor] = []
    observe = trainer.weighting.observe
    trainer.weighting.observe = lambda losses: (observed.append(losses), observe(losses))[1]  # type: ignore[method-assign]
    before = trainer.update(0).losses
    layers = [layer for layer in trainer.network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert all(int(layer.num_batches_tracked) == 1 for layer in layers)
    assert all(layer.track_running_stats for layer in layers)
    assert (observed[0] != before).all()
    torch.testing.assert_close(observed[0], before, rtol=0.2, atol=0)


def test_after_an_overflow_there_is_nothing_to_observe(
    make_trainer: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, observed = make_trainer("famo"), []
    monkeypatch.setattr(trainer.weighting, "observe", observed.append)
    trainer.fabric.strategy._precision = Scaled()
    (first, *_) = trainer.network.parameters()
    first.register_hook(lambda gradient: gradient * (1 if numbers else torch.inf))
    numbers: list[int] = []
    for step in range(3):
        trainer.update(step)
        numbers.append(len(observed))
    assert numbers == [0, 1, 2]


def test_the_history_has_rows_in_intervals_and_at_the_end_of_epochs(
    tiles: Folders, statistics: Statistics, tmp_path: Path
) -> None:
    plan = tiny.run_plan(epochs=2, epoch_patches=10, log_every=2)
    train(tiny.job(plan, statistics, tiles["train"], tiles["val"], tmp_path / "run"))
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    assert history["step"].tolist() == [2, 4, 5, 6, 8, 10]
    assert history["epoch"].tolist() == [0.4, 0.8, 1, 1.2, 1.6, 2]
    assert history["val_score"].notna().tolist() == [False, False, True, False, False, True]
    for level in LEVELS:
        assert history[f"cosine_{level}_semantics_height"].between(-1, 1).all()
        assert history[[f"norm_{level}_semantics", f"norm_{level}_height"]].gt(0).all(axis=None)
    sparse = tiny.run_plan(epochs=2, epoch_patches=10, log_every=1000)
    train(tiny.job(sparse, statistics, tiles["train"], tiles["val"], tmp_path / "sparse"))
    whole = pd.read_csv(tmp_path / "sparse" / "history.csv")
    assert whole["step"].tolist() == [5, 10]
    mean = (2 * history["loss_height"][0] + 2 * history["loss_height"][1] + history["loss_height"][2]) / 5
    assert whole["loss_height"][0] == pytest.approx(mean, rel=1e-4)
    weights, sparse_weights = (load_file(tmp_path / name / "model.safetensors") for name in ("run", "sparse"))
    assert all(torch.equal(weights[key], sparse_weights[key]) for key in weights)


def test_a_method_of_one_task_has_no_conflict(tiles: Folders, statistics: Statistics, tmp_path: Path) -> None:
    train(tiny.job(tiny.run_plan(("height",), epochs=1), statistics, tiles["train"], [], tmp_path))
    assert not [
        name for name in pd.read_csv(tmp_path / "history.csv") if str(name).startswith(("norm", "cosine", "weight"))
    ]


@pytest.mark.full("torch's compiler")
@pytest.mark.parametrize(
    "name", [pytest.param("equal", marks=pytest.mark.full("cagrad goes backward twice")), "cagrad"]
)
def test_compiled_networks_have_the_same_gradients(
    make_trainer: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # The compiler's own code generator takes a minute; what may break is before it.
    compiled = torch.nn.Module.compile
    modes = []

    def compile_with_autograd_alone(self: torch.nn.Module, mode: str | None = None) -> None:
        modes.append(mode)
        compiled(self, backend="aot_eager")

    monkeypatch.setattr(torch.nn.Module, "compile", compile_with_autograd_alone)
    whole = gradients(make_trainer(name))
    for graphs in (False, True):
        compiled_gradients = gradients(make_trainer(name, compile=True, cuda_graphs=graphs))
        assert (whole - compiled_gradients).norm() < 1e-5 * whole.norm()
        assert set(modes) == {"reduce-overhead" if graphs else None}
        modes.clear()


def test_second_derivatives_are_not_compiled(make_trainer: Callable[..., Trainer]) -> None:
    with pytest.raises(TrainingError, match=r"gradient_penalty.*no second derivatives"):
        make_trainer("gradient_penalty", compile=True)


@pytest.mark.parametrize("name", ["equal", "cagrad", "mgda_ub", "famo", "gradient_penalty"])
def test_checkpointing_changes_no_gradient(make_trainer: Callable[..., Trainer], name: str) -> None:
    whole, checkpointed = (gradients(make_trainer(name, checkpointing=value)) for value in (False, True))
    assert (whole - checkpointed).norm() < 1e-9 * whole.norm()


def test_checkpointing_changes_nothing_that_is_trained(make_trainer: Callable[..., Trainer]) -> None:
    states = []
    for value in (False, True):
        one = make_trainer("equal", checkpointing=value)
        one.network.train()
        for step in range(2):
            one.update(step, measure_conflict=True)
        states.append(one.network.state_dict())
    for name, expected in states[0].items():
        torch.testing.assert_close(states[1][name], expected, rtol=1e-4, atol=1e-6)


def test_compiled_code_decides_itself_what_it_computes_again() -> None:
    with pytest.raises(ConfigError, match="compile and checkpointing: found both true"):
        tiny.training_spec(compile=True, checkpointing=True)


def test_cuda_graphs_are_made_of_compiled_code() -> None:
    with pytest.raises(ConfigError, match="compile: found false beside cuda_graphs; expected true"):
        tiny.training_spec(cuda_graphs=True)
    assert "cuda_graphs" not in tiny.training_spec(compile=True).model_dump()


def test_keys_of_updates_are_checked() -> None:
    for wrong in ({"accumulate": 0}, {"clip_norm": 0.0}, {"log_every": 0}):
        with pytest.raises((ConfigError, ValidationError)):
            tiny.training_spec(**wrong)


@pytest.mark.parametrize(("precision", "last"), [("32-true", True), ("32-true", False), ("bf16-mixed", True)], ids=str)
@pytest.mark.parametrize("checkpointing", [False, True])
def test_all_tensors_have_one_memory_format(
    make_trainer: Callable[..., Trainer], precision: str, last: bool, checkpointing: bool
) -> None:
    trainer = make_trainer("equal", precision=precision, checkpointing=checkpointing, channels_last=last)
    trainer.network.train()
    order = torch.channels_last if last else torch.contiguous_format
    misplaced: list[str] = []

    def look(name: str, tensor: Tensor) -> None:  # returns nothing, so that hooks change nothing
        if not tensor.is_contiguous(memory_format=order):
            misplaced.append(f"{name}: {tuple(tensor.shape)}, {tensor.stride()}")

    for name, layer in trainer.network.named_modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
            layer.register_forward_pre_hook(lambda _, inputs, name=name: look(name, *inputs))
            layer.register_forward_hook(lambda _, __, output, name=name: look(name, output))
    trainer.update(0)
    for name, parameter in trainer.network.named_parameters():
        if parameter.dim() == 4:
            look(name, parameter)
            assert parameter.grad is not None
            look(f"gradient of {name}", parameter.grad)
    assert not misplaced


def test_gradients_lie_in_memory_as_their_parameters_do() -> None:
    parameter = torch.nn.Parameter(torch.randn(4, 3, 2, 2).to(memory_format=torch.channels_last))
    gradient = torch.randn(4, 3, 2, 2)
    assign([parameter], [gradient])
    assert parameter.grad is not None
    assert parameter.grad.stride() == parameter.stride()
    assert torch.equal(parameter.grad, gradient)
