"""Prefetch: the batches are those drawn without it."""

import threading
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import pytest
import torch

from mtlaerial.datasets.catalog import Dataset
from mtlaerial.sampling import Batch
from mtlaerial.sampling.prefetch import Prefetcher
from mtlaerial.tiles.measure import summarise
from mtlaerial.training.trainer import Trainer
from support import tiny

CPU = torch.device("cpu")


class Draws:
    """Draws numbered batches; remembers who asked for which."""

    def __init__(self, failing: int = -1) -> None:
        self.asked: list[tuple[int, str]] = []
        self.failing = failing

    def __call__(self, number: int) -> Sequence[Batch]:
        self.asked.append((number, threading.current_thread().name))
        if number == self.failing:
            raise ValueError(f"step {number}")
        return [Batch(*(torch.full((1,), float(number)) for _ in range(3)))]

    @property
    def numbers(self) -> list[int]:
        return [number for number, _ in self.asked]


def test_each_step_gets_its_own_and_is_drawn_once() -> None:
    draws = Draws()
    prefetcher = Prefetcher(draws, 4, CPU)
    assert [float(prefetcher(number)[0].image) for number in range(4)] == [0, 1, 2, 3]
    prefetcher.close()
    assert draws.numbers == [0, 1, 2, 3]
    assert threading.current_thread().name not in {thread for _, thread in draws.asked}


def test_the_next_is_drawn_while_the_step_runs() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def draw(number: int) -> Sequence[Batch]:
        if number == 1:
            begun.set()
            assert go_on.wait(120)
        return Draws()(number)

    prefetcher = Prefetcher(draw, 2, CPU)
    prefetcher(0)
    assert begun.wait(120)
    go_on.set()
    assert float(prefetcher(1)[0].image) == 1
    prefetcher.close()


def test_a_step_that_was_not_foreseen_is_drawn_too() -> None:
    prefetcher = Prefetcher(Draws(), 10, CPU)
    assert [float(prefetcher(number)[0].image) for number in (0, 5, 3, 4)] == [0, 5, 3, 4]
    prefetcher.close()


def test_an_error_reaches_the_step_that_it_belongs_to() -> None:
    prefetcher = Prefetcher(Draws(failing=1), 3, CPU)
    prefetcher(0)
    with pytest.raises(ValueError, match="step 1"):
        prefetcher(1)
    prefetcher.close()


def test_closing_ends_the_thread() -> None:
    before = set(threading.enumerate())
    prefetcher = Prefetcher(Draws(failing=1), 3, CPU)
    prefetcher(0)
    assert set(threading.enumerate()) - before
    prefetcher.close()
    assert not set(threading.enumerate()) - before


def trainer(city: Dataset, tiles: dict[str, list[Path]], ahead: bool) -> Trainer:
    """Return a trainer whose steps have several batches, with prefetch on request, which by itself only a GPU has."""
    plan = tiny.run_plan(augmentation={"colour": 0.1}, weighting={"name": "modo"})
    built = Trainer(tiny.job(plan, summarise(city, tiles["train"]), tiles["train"], []))
    if ahead:
        batches = built.update.batches
        batches._patches = batches._prefetcher = Prefetcher(batches._sample, 4, CPU)
    return built


def test_a_training_that_draws_ahead_ends_with_the_same_weights(city: Dataset, tiles: dict[str, list[Path]]) -> None:
    plain, ahead, resumed = (trainer(city, tiles, each) for each in (False, True, True))
    for step in range(4):
        plain.update(step)
        ahead.update(step)
        if step == 1:  # a killed training goes on in another process, from what was stored here
            resumed.load_state(deepcopy(ahead.state()))
    for step in (2, 3):
        resumed.update(step)
    for prefetching in (ahead, resumed):
        prefetching.update.batches.close()
        for name, value in plain.network.state_dict().items():
            assert torch.equal(prefetching.network.state_dict()[name], value), name
