"""The contract of task weightings: nine properties that every one of them has.

Seeds and levels are within a case; a failure names them in a note.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from mtlaerial.config.weighting import WEIGHTINGS
from mtlaerial.errors import ConfigError
from mtlaerial.weighting import Weighting, weighting_class
from mtlaerial.weighting.listing import explain_weighting
from support.weighting_options import DEFAULTS, WRONG, variants
from support.weighting_problem import (
    SAMPLES,
    TASKS,
    THREE,
    Outcome,
    Problem,
    assert_follows,
    assert_same,
    train,
    update,
    varied_problems,
    weighting,
)
from support.weighting_processes import AddUp, run_processes
from support.weighting_references import REFERENCES

every_weighting = pytest.mark.parametrize("name", WEIGHTINGS)

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
SAME_BYTES = {"rtol": 0.0, "atol": 0.0}
AVERAGED = {"db_mtl", "moco"}
"""At the parameters the update is made of averages over batches, which an absent task's batches move as well."""
REMEMBERS_ABSENCE = AVERAGED | {"gradnorm"}
"""A batch without a task moves the state of the others; for GradNorm through Adam's moments."""
BY_POSITION = {"rlw", "rgw"}
"""Weights are drawn in the order of the tasks."""
RANDOM_ORDER = {"pcgrad", "gradvac"}
"""Gradients are changed in random order, which makes a difference from three tasks on."""


@contextmanager
def note(**circumstances: Any) -> Iterator[None]:
    """Add the circumstances to the report of a failure."""
    try:
        yield
    except BaseException as failure:
        failure.add_note(str(circumstances))
        raise


def assert_same_state(method: Weighting, expected: dict[str, Any], **tolerance: float) -> None:
    torch.testing.assert_close(method.state_dict(), expected, equal_nan=True, **(tolerance or SAME_BYTES))


def head_factors(name: str, outcome: Outcome, losses: Tensor) -> Tensor:
    """Return the factors of the heads' gradients: as published."""
    if weighting_class(name).family != "gradients" or name in ("gradnorm", "excess_mtl"):
        return outcome.weights
    return (losses != 0) / losses.clamp(min=1e-8) if name == "db_mtl" else torch.ones(len(losses))


def all_gradients(outcome: Outcome) -> Tensor:
    return torch.cat([gradient.flatten() for gradient in (outcome.trunk, *outcome.heads)])


def copy_of(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state as it comes back from a file."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    restored: dict[str, Any] = torch.load(file, weights_only=True)
    return restored


@every_weighting
def test_accumulated_passes_and_processes_give_the_update_of_the_whole_batch(name: str) -> None:
    for options in variants(name):
        whole = weighting(name, **options)
        expected = [train(whole, Problem(seed), seed) for seed in range(4)]
        for parts in (2, 3):
            divided = weighting(name, **options)
            for seed in range(4):
                with note(**options, parts=parts, seed=seed):
                    assert_same(train(divided, Problem(seed), seed, parts=parts), expected[seed], **CLOSE)
            assert_same_state(divided, whole.state_dict(), **CLOSE)
        if name == "graddrop" and options["level"] == "features":
            continue  # every process draws the same signs, for samples of its own
        for parts in (1, 3):
            for rank, outcomes in enumerate(in_two_processes(name, options, parts)):
                for seed, outcome in enumerate(outcomes):
                    with note(**options, parts=parts, rank=rank, seed=seed):
                        assert_same(outcome, expected[seed], **CLOSE)


def in_two_processes(name: str, options: dict[str, Any], parts: int) -> list[list[Outcome]]:
    """Return the outcomes of successive updates in each of two processes that share the batches."""

    def work(rank: int, add_up: AddUp) -> list[Outcome]:
        method, outcomes = weighting(name, **options), []
        for seed in range(4):
            problem = Problem(seed)
            problem.samples = torch.arange(SAMPLES).chunk(2)[rank]
            outcomes.append(train(method, problem, seed, parts=parts, add_up=add_up))
        return outcomes

    return run_processes(2, work)


@every_weighting
def test_the_loss_scale_of_16_bit_floats_cancels_out(name: str) -> None:
    for options in variants(name):
        for parts in (1, 2):
            plain, scaled = weighting(name, **options), weighting(name, **options)
            for seed in range(4):
                expected = update(plain, Problem(seed), parts, seed)
                outcome = update(scaled, Problem(seed), parts, seed, scale=lambda loss: 1024 * loss)
                with note(**options, parts=parts, seed=seed):
                    assert_same(outcome, expected, scale=1024, **CLOSE)
            assert_same_state(scaled, plain.state_dict(), **CLOSE)


@every_weighting
def test_a_restored_state_goes_on_with_the_same_bytes(name: str) -> None:
    for options in variants(name):
        for steps in (0, 1, 4):
            whole, restored = weighting(name, **options), weighting(name, **options)
            train(restored, Problem(20), 21)  # has to be forgotten
            learned = restored.parameters()
            for seed in range(steps):
                train(whole, Problem(seed), seed)
            state, stored = whole.state_dict(), copy_of(whole.state_dict())
            expected = [train(whole, Problem(seed), seed) for seed in range(steps, steps + 4)]
            for source in (stored, state, state):  # neither the one nor the other goes on with what it was taken from
                restored.load_state_dict(source)
                restored.to(torch.device("cpu"))
                for seed, outcome in enumerate(expected, start=steps):
                    with note(**options, steps=steps, seed=seed):
                        assert_same(train(restored, Problem(seed), seed), outcome, **SAME_BYTES)
                assert_same_state(restored, whole.state_dict())
            assert list(map(id, restored.parameters())) == list(map(id, learned))


@every_weighting
def test_an_absent_task_takes_no_part(name: str) -> None:
    for options in variants(name):
        for absent in range(2):
            for steps in (0, 2):
                with note(**options, absent=absent, steps=steps):
                    assert_absent(name, options, absent, steps)


def assert_absent(name: str, options: dict[str, Any], absent: int, steps: int) -> None:
    disturbed, undisturbed = weighting(name, **options), weighting(name, **options)
    for seed in range(steps):
        train(disturbed, Problem(seed), seed)
        train(undisturbed, Problem(seed), seed)
    problem = Problem(7, scales=(0.0, 1.0) if absent == 0 else (1.0, 0.0))
    outcome = update(disturbed, problem, seed=7)
    if disturbed.looks_again:
        disturbed.observe(problem.losses() / 2)
    assert outcome.weights.isfinite().all()
    assert not outcome.heads[absent].any()
    assert all(gradient[absent] == 0 for gradient in outcome.learned)
    assert outcome.weights.min() >= 0
    if disturbed.family == "gradients":
        assert outcome.weights[absent] == 0
    if name == "gradient_penalty":
        torch.testing.assert_close(outcome.trunk, REFERENCES[name]([problem])[0], **CLOSE)
    elif name in AVERAGED and options == {"level": "parameters"}:
        direction = problem.gradients("parameters")[1 - absent]
        cosine = torch.nn.functional.cosine_similarity(direction.flatten(), outcome.trunk.flatten(), dim=0)
        assert cosine > 0.9999 or steps
    else:
        followed = disturbed.batches - 1
        factors = head_factors(name, outcome, problem.losses(followed)) if name != "imtl" or not steps else None
        assert_follows(outcome, problem, factors, followed, **CLOSE)
    if not steps:
        assert outcome.trunk.abs().max() > 1e-3
    for seed in (2, 4, 6):  # no epoch ends, so that DWA does not count the batch yet
        after, expected = train(disturbed, Problem(seed), seed), train(undisturbed, Problem(seed), seed)
        if name in REMEMBERS_ABSENCE:
            assert all_gradients(after).isfinite().all()
        else:
            assert_same(after, expected, **SAME_BYTES)


@every_weighting
def test_nothing_to_learn_is_no_update(name: str) -> None:
    for options in variants(name):
        for steps in (0, 2):
            method, undisturbed = weighting(name, **options), weighting(name, **options)
            for seed in range(steps):
                train(method, Problem(seed), seed)
                train(undisturbed, Problem(seed), seed)
            with note(**options, steps=steps):
                nothing = update(method, Problem(7, scales=(0.0, 0.0)))
                assert nothing.weights.isfinite().all()
                assert method.family != "gradients" or not nothing.weights.any()
                assert not all_gradients(nothing).any() or name == "gradient_penalty"
                assert all_gradients(nothing).isfinite().all()
                assert_same_state(method, undisturbed.state_dict())
                after = update(method, Problem(5), seed=5)
                assert_same(after, update(undisturbed, Problem(5), seed=5), **SAME_BYTES)
                flat = Problem(8)
                for head in flat.heads.values():
                    head.data.zero_()  # losses without a gradient in the trunk
                outcome = update(method, flat)
                assert outcome.weights.isfinite().all()
                assert not outcome.trunk.any() or name in (*AVERAGED, "gradient_penalty")
                assert all_gradients(outcome).isfinite().all()
                assert all_gradients(update(method, Problem(5))).isfinite().all()


@every_weighting
def test_an_overflow_shows_and_leaves_the_state_unharmed(name: str) -> None:
    for options in variants(name):
        for wrong in (torch.inf, torch.nan):
            with note(**options, wrong=wrong):
                assert_overflow(name, options, wrong)


def assert_overflow(name: str, options: dict[str, Any], wrong: float) -> None:
    method, undisturbed = weighting(name, **options), weighting(name, **options)
    for seed in range(2):
        train(method, Problem(seed), seed)
        train(undisturbed, Problem(seed), seed)
    state = undisturbed.state_dict()
    gradients = update(method, Problem(7), scale=lambda loss: wrong * loss)
    if method.family == "gradients" and name != "imtl":  # losses are known, however large their gradients
        assert_same_state(method, state)
    method.load_state_dict(state)
    losses = update(method, Problem(7, scales=(wrong, wrong)))
    if method.looks_again:
        method.observe(torch.tensor([wrong, 1.0]))
    for overflow in (gradients, losses):
        assert overflow.weights.isfinite().all()
        assert not overflow.trunk.isfinite().all()
    assert_same_state(method, state)
    assert_same(update(method, Problem(5), seed=5), update(undisturbed, Problem(5), seed=5), **SAME_BYTES)


@every_weighting
def test_the_order_of_the_tasks_makes_no_difference(name: str) -> None:
    for options in variants(name):
        given = {**options, **({"primary": "height"} if name == "pcd" else {})}
        for tasks in (TASKS, THREE):
            if tasks == THREE and name in (*RANDOM_ORDER, "fixed"):
                continue
            turned = (*tasks[1:], tasks[0])
            method, other = weighting(name, tasks, **given), weighting(name, turned, **given)
            for seed in range(4):
                problem = Problem(seed, scales=(1.0, 3.0, 0.5)[: len(tasks)], tasks=tasks)
                outcome = train(method, problem, seed)
                reordered = train(other, problem.ordered(turned), seed)
                with note(**options, tasks=tasks, seed=seed):
                    if name in BY_POSITION:
                        torch.testing.assert_close(reordered.weights, outcome.weights)
                        continue
                    expected = Outcome(
                        outcome.weights.roll(-1),
                        outcome.trunk,
                        [*outcome.heads[1:], outcome.heads[0]],
                        [gradient.roll(-1) for gradient in outcome.learned],
                    )
                    assert_same(reordered, expected, rtol=1e-4, atol=1e-4)


@every_weighting
def test_options_have_documented_defaults_and_bounds(name: str) -> None:
    fields = weighting_class(name).Options.model_fields
    assert {key: None if field.is_required() else field.default for key, field in fields.items()} == DEFAULTS[name]
    explained = explain_weighting(name)
    for key, default in DEFAULTS[name].items():
        told = f"  {key} (required)" if fields[key].is_required() else f"  {key} (default {default})"
        assert told in explained
        assert key == "level" or fields[key].description
    level = {"level": ["pixels"]} if "level" in fields else {}
    for key, values in {**level, **WRONG.get(name, {}), "magic": [1]}.items():
        for value in values:
            with note(key=key, value=value), pytest.raises(ConfigError) as refused:
                weighting(name, **{key: value})
            text = str(refused.value)
            assert text.startswith(f"weighting {name}, key {key}")
            assert "; expected " in text
            assert "\n" not in text


@every_weighting
def test_updates_are_those_of_the_publication(name: str) -> None:
    for options in variants(name):
        for problems in (varied_problems(), [Problem(seed, (200.0, 0.02)) for seed in range(8)]):
            method, updates = weighting(name, **options), REFERENCES[name](problems, **options)
            for number, (problem, expected) in enumerate(zip(problems, updates, strict=True)):
                with note(**options, number=number, scales=problem.scales):
                    assert_published(name, update(method, problem, seed=number), problem, expected)


def assert_published(name: str, outcome: Outcome, problem: Problem, expected: Tensor) -> None:
    assert (outcome.trunk - expected).norm() < 1e-4 * expected.norm()
    if name == "gradient_penalty":
        return  # its heads: see the weightings that follow from the losses
    batch = weighting_class(name).batches - 1
    factors = head_factors(name, outcome, problem.losses(batch))
    for task, gradient, factor in zip(TASKS, outcome.heads, factors, strict=True):
        torch.testing.assert_close(gradient, factor * problem.head_gradient(task, batch), **CLOSE)
