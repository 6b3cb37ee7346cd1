"""Drawing what the next step needs while the device is at work on this one."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from mtlaerial.sampling.sampler import Batch

Draw = Callable[[int], Sequence[Batch]]
"""From the number of a step to its batches; what they hold follows from the number alone."""


class Prefetcher:
    """Draws the batches of a step in a thread, and on a stream of the device, of their own.

    The batches are those that ``draw`` returns, whether the step was foreseen or not; an error in the thread is raised
    by the call that asks for the step.

    Parameters
    ----------
    draw : Draw
    steps : int
        Of the whole training; nothing is drawn for those after.
    device : torch.device
        Where batches lie.
    """

    def __init__(self, draw: Draw, steps: int, device: torch.device) -> None:
        self._draw, self._steps = draw, steps
        self._stream = (
            torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch has no types for it
            if device.type == "cuda"
            else None
        )
        self._thread = ThreadPoolExecutor(1, "prefetch")
        self._foreseen: tuple[int, Future[Sequence[Batch]]] | None = None

    def __call__(self, number: int) -> Sequence[Batch]:
        """Return the batches of a step, and begin to draw those of the next."""
        batches = self._take(number)
        if number + 1 < self._steps:
            self._foreseen = number + 1, self._thread.submit(self._drawn, number + 1)
        return batches

    def close(self) -> None:
        """End the thread; what it was at is finished first."""
        self._foreseen = None
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _take(self, number: int) -> Sequence[Batch]:
        foreseen, self._foreseen = self._foreseen, None
        future = foreseen[1] if foreseen and foreseen[0] == number else self._thread.submit(self._drawn, number)
        batches = future.result()
        if self._stream:
            now = torch.cuda.current_stream(self._stream.device)
            now.wait_stream(self._stream)
            for batch in batches:
                for tensor in (batch.image, batch.height, batch.labels):
                    tensor.record_stream(now)  # its memory is not used again before the step is done with it
        return batches

    def _drawn(self, number: int) -> Sequence[Batch]:
        with torch.cuda.stream(self._stream):  # does nothing without one
            return self._draw(number)
