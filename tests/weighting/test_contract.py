"""The contract of task weightings: properties that every one of them has.

Levels and seeds are within a case; a failure names them in a note. Sets of names are the documented exceptions.
"""

from typing import Any

import pytest
import torch
from torch import Tensor

from mtlaerial.config.weighting import WEIGHTINGS
from mtlaerial.errors import ConfigError
from mtlaerial.weighting import Weighting, weighting_class
from mtlaerial.weighting.listing import explain_weighting
from support.trained_weightings import trained
from support.weighting_assertions import (
    CLOSE,
    SAME_BYTES,
    all_gradients,
    assert_finite,
    assert_follows,
    assert_same,
    assert_same_state,
    head_factors,
    note,
    through_file,
)
from support.weighting_options import DEFAULTS, WRONG, variants
from support.weighting_problem import SAMPLES, TASKS, THREE, Outcome, Problem, train, update, varied_problems, weighting
from support.weighting_processes import AddUp, run_processes
from support.weighting_references import REFERENCES

every_weighting = pytest.mark.parametrize("name", WEIGHTINGS)

AVERAGED = {"db_mtl", "moco"}
"""At the parameters the update is made of averages over batches; one without a task moves those of the others."""
FIRST_LOSSES = {"gradnorm"}
"""The first losses are noted, also in a batch without a task those of the others."""
BY_POSITION = {"rlw", "rgw"}
"""Weights are drawn in the order of the tasks."""
RANDOM_ORDER = {"pcgrad", "gradvac"}
"""Gradients are changed in random order, which makes a difference from three tasks on."""


@pytest.mark.quick_cases(7, "three trainings a case")
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
        for parts in (1, 3):
            first, second = in_two_processes(name, options, parts)
            for seed in range(4):
                with note(**options, parts=parts, processes=2, seed=seed):
                    assert_same(first[seed], second[seed], **CLOSE)
                    if (
                        name != "graddrop" or options["level"] != "features"
                    ):  # which draws signs for a process's samples
                        assert_same(first[seed], expected[seed], **CLOSE)


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


@pytest.mark.quick_cases(9, "trains a network twice a case")
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


@pytest.mark.quick_cases(12, "trains a network twice a case")
@every_weighting
def test_a_restored_state_goes_on_with_the_same_bytes(name: str) -> None:
    for options in variants(name):
        for steps in (0, 1, 3):
            whole, restored = trained(name, options, steps), trained(name, options, 5, first=20)  # is to be forgotten
            learned = restored.parameters()
            state, stored = whole.state_dict(), through_file(whole.state_dict())
            expected = [train(whole, Problem(seed), seed) for seed in range(steps, steps + 3)]
            for source in (stored, state, state):  # no state changes with the method that it came from, or went to
                restored.load_state_dict(source)
                restored.to(torch.device("cpu"))
                for seed, outcome in enumerate(expected, start=steps):
                    with note(**options, steps=steps, seed=seed):
                        assert_same(train(restored, Problem(seed), seed), outcome, **SAME_BYTES)
                assert_same_state(restored, whole.state_dict())
            assert list(map(id, restored.parameters())) == list(map(id, learned))


@pytest.mark.quick_cases(12, "trains a network twice a case")
@every_weighting
def test_an_absent_task_takes_no_part(name: str) -> None:
    for options in variants(name):
        for absent, scales in enumerate(((0.0, 1.0), (1.0, 0.0))):
            for steps in (0, 2):
                disturbed, undisturbed = (trained(name, options, steps) for _ in range(2))
                problem = Problem(7, scales)
                with note(**options, absent=absent, steps=steps):
                    outcome = update(disturbed, problem, seed=7)
                    assert_absent(name, outcome, absent)
                    assert_follows_the_other(name, options, outcome, problem, steps)
                    if disturbed.looks_again:
                        disturbed.observe(problem.losses() / 2)
                    if name not in AVERAGED and (steps or name not in FIRST_LOSSES):
                        assert_no_trace(disturbed, undisturbed)


def assert_absent(name: str, outcome: Outcome, absent: int) -> None:
    assert_finite(outcome)
    assert outcome.weights.min() >= 0
    assert outcome.weights[absent] == 0 or weighting_class(name).family != "gradients"
    assert not outcome.heads[absent].any()
    assert all(gradient[absent] == 0 for gradient in outcome.learned)


def assert_follows_the_other(
    name: str, options: dict[str, Any], outcome: Outcome, problem: Problem, steps: int
) -> None:
    """Require that the update follows the task with truth; as far as it can be told after so many steps."""
    assert outcome.trunk.abs().max() > 1e-3 or steps
    batch = weighting_class(name).batches - 1
    if name == "gradient_penalty":
        torch.testing.assert_close(outcome.trunk, REFERENCES[name]([problem])[0], **CLOSE)
    elif name in AVERAGED and options["level"] == "parameters":
        gradient = sum(problem.gradients("parameters"))
        cosine = torch.nn.functional.cosine_similarity(gradient.flatten(), outcome.trunk.flatten(), dim=0)
        assert cosine > 0.9999 or steps
    elif name == "imtl" and steps:  # its scales are learned
        assert_follows(outcome, problem, **CLOSE)
    else:
        assert_follows(outcome, problem, head_factors(name, outcome, problem.losses(batch)), batch, **CLOSE)


def assert_no_trace(disturbed: Weighting, undisturbed: Weighting) -> None:
    for seed in (2, 4, 6):  # no epoch ends, so that DWA does not use its means yet
        outcome, expected = train(disturbed, Problem(seed), seed), train(undisturbed, Problem(seed), seed)
        assert_same(outcome, expected, **SAME_BYTES)


@pytest.mark.quick_cases(12, "trains a network a case")
@every_weighting
def test_nothing_to_learn_is_no_update(name: str) -> None:
    for options in variants(name):
        for steps in (0, 2):
            method, undisturbed = (trained(name, options, steps) for _ in range(2))
            with note(**options, steps=steps):
                nothing = update(method, Problem(7, scales=(0.0, 0.0)))
                assert_finite(nothing)
                assert not nothing.weights.any() or method.family != "gradients"
                assert not all_gradients(nothing).any() or name == "gradient_penalty"
                assert_same_state(method, undisturbed.state_dict())
                assert_same(update(method, Problem(5), seed=5), update(undisturbed, Problem(5), seed=5), **SAME_BYTES)
                flat = update(method, flat_problem())
                assert_finite(flat)
                assert not flat.trunk.any() or name in (*AVERAGED, "gradient_penalty")
                assert_finite(update(method, Problem(5)))


def flat_problem() -> Problem:
    """Return a problem with losses, but without a gradient in the trunk."""
    problem = Problem(8)
    for head in problem.heads.values():
        head.data.zero_()
    return problem


@pytest.mark.quick_cases(12, "trains a network a case")
@every_weighting
def test_the_order_of_the_tasks_makes_no_difference(name: str) -> None:
    for options in variants(name):
        given = {**options, "primary": "height"} if name == "pcd" else options
        for tasks in (TASKS, THREE):
            if tasks == THREE and name in (*RANDOM_ORDER, "fixed"):
                continue
            turned = (*tasks[1:], tasks[0])
            method, reordered = weighting(name, tasks, **given), weighting(name, turned, **given)
            for seed in range(4):
                problem = Problem(seed, scales=(1.0, 3.0, 0.5)[: len(tasks)], tasks=tasks)
                expected = train(method, problem, seed)
                outcome = train(reordered, problem.ordered(turned), seed)
                with note(**options, tasks=tasks, seed=seed):
                    if name in BY_POSITION:
                        torch.testing.assert_close(outcome.weights, expected.weights)
                    else:
                        assert_same(outcome, first_last(expected), rtol=1e-4, atol=1e-4)


def first_last(outcome: Outcome) -> Outcome:
    """Return the outcome with the first task in the last place."""
    heads, learned = [*outcome.heads[1:], outcome.heads[0]], [gradient.roll(-1) for gradient in outcome.learned]
    return Outcome(outcome.weights.roll(-1), outcome.trunk, heads, learned)


@every_weighting
def test_options_have_documented_defaults_and_bounds(name: str) -> None:
    fields, explained = weighting_class(name).Options.model_fields, explain_weighting(name)
    assert set(fields) == set(DEFAULTS[name])
    for key, field in fields.items():
        assert field.is_required() if key == "weights" else field.default == DEFAULTS[name][key]
        default = "required" if field.is_required() else f"default {field.default}"
        assert f"  {key} ({default})" in explained
        assert key == "level" or field.description
    levels = {"level": ["pixels"]} if "level" in fields else {}
    for key, values in {**levels, **WRONG.get(name, {}), "magic": [1]}.items():
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
        return  # its heads: see the weightings by losses
    batch = weighting_class(name).batches - 1
    factors = head_factors(name, outcome, problem.losses(batch))
    for task, gradient, factor in zip(TASKS, outcome.heads, factors, strict=True):
        torch.testing.assert_close(gradient, factor * problem.head_gradient(task, batch), **CLOSE)
