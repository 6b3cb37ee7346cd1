"""Prefetch: the next step's batches are drawn while the device works on this one."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from mtlaerial.sampling.sampler import Batch

Draw = Callable[[int], Sequence[Batch]]
"""From the number of a step to its batches, which follow from the number alone."""


class Prefetcher:
    """Draws the batches of a step in a thread and on a CUDA stream of its own.

    The batches are those that ``draw`` returns, whether the step was prefetched or not; an error in the thread is
    raised by the call that asks for the step.

    Parameters
    ----------
    draw : Draw
    steps : int
        Steps of the whole training; nothing is prefetched past the last.
    device : torch.device
        Device of the batches.
    """

    def __init__(self, draw: Draw, steps: int, device: torch.device) -> None:
        self._draw, self._steps = draw, steps
        self._stream = (
            torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch has no types for it
            if device.type == "cuda"
            else None
        )
        self._thread = ThreadPoolExecutor(1, "prefetch")
        self._prefetched: tuple[int, Future[Sequence[Batch]]] | None = None

    def __call__(self, number: int) -> Sequence[Batch]:
        """Return the batches of a step, and start to draw those of the next."""
        batches = self._take(number)
        if number + 1 < self._steps:
            self._prefetched = number + 1, self._thread.submit(self._drawn, number + 1)
        return batches

    def close(self) -> None:
        """Finish the batch that is being drawn, and end the thread."""
        self._prefetched = None
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _take(self, number: int) -> Sequence[Batch]:
        prefetched, self._prefetched = self._prefetched, None
        future = prefetched[1] if prefetched and prefetched[0] == number else self._thread.submit(self._drawn, number)
        batches = future.result()
        if self._stream:
            now = torch.cuda.current_stream(self._stream.device)
            now.wait_stream(self._stream)
            for batch in batches:
                for tensor in (batch.image, batch.height, batch.labels, *batch.derived.values()):
                    tensor.record_stream(now)  # the allocator must not reuse its memory before the step is done
        return batches

    def _drawn(self, number: int) -> Sequence[Batch]:
        with torch.cuda.stream(self._stream):  # does nothing without one
            return self._draw(number)
