"""The number of windows at once, by free memory."""

import pytest
import torch

from mtlaerial.config import PredictionSpec
from mtlaerial.prediction.stacked_outputs import StackedOutputs
from mtlaerial.prediction.window_batch import MOST, window_batch

MEGABYTE = 2**20


class Memory:
    """A device on which a pass takes 50 MB, and 100 MB for each window."""

    def __init__(self, free_mb: int) -> None:
        self.free_mb = free_mb
        self.shapes: list[tuple[int, ...]] = []

    def free(self) -> int:
        return self.free_mb * MEGABYTE

    def peak_of(self, network: StackedOutputs, windows: torch.Tensor) -> int:
        self.shapes.append(tuple(windows.shape))
        return (50 + 100 * len(windows)) * MEGABYTE


def spec(batch: int | str) -> PredictionSpec:
    return PredictionSpec.parse({"batch": batch, "window": 64, "stride": 32}, "prediction")


def network(*scales: int) -> StackedOutputs:
    return StackedOutputs(spec(1), {"height": 1}, scales)


# 80 % of 2,000 MB are 1,600: 150 for the first window, and 14.5 times 100.
@pytest.mark.parametrize(("free_mb", "batch"), [(2000, 15), (100, 1), (0, 1), (10**6, MOST)])
def test_as_many_windows_as_fit_into_most_of_the_free_memory(free_mb: int, batch: int) -> None:
    memory = Memory(free_mb)
    assert window_batch(network(), spec("auto"), 3, memory) == batch
    assert memory.shapes == [(1, 3, 64, 64), (2, 3, 64, 64)]


def test_surroundings_count() -> None:
    memory = Memory(2000)
    window_batch(network(4), spec("auto"), 3, memory)
    assert memory.shapes[0] == (1, 6, 64, 64)


def test_a_stated_number_holds_and_the_cpu_takes_one_window() -> None:
    memory = Memory(2000)
    assert window_batch(network(), spec(5), 3, memory) == 5
    assert not memory.shapes
    assert window_batch(network(), spec("auto"), 3, None) == 1
