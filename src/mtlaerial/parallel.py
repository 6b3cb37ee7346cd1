"""Several processes that train one network together, each on its share of every batch."""

import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn

from mtlaerial import ranks
from mtlaerial.allocating import keep_freed_memory
from mtlaerial.config import TrainingSpec
from mtlaerial.errors import TrainingError


@dataclass(frozen=True)
class Group:
    """The processes, as one of them sees them; by default it is alone."""

    rank: int = 0
    size: int = 1

    @classmethod
    def current(cls) -> "Group":
        """Return the group that ``torchrun`` started this process in."""
        return cls(ranks.rank(), ranks.size())

    @property
    def main(self) -> bool:
        """Whether this process is the one that writes files."""
        return self.rank == 0

    def share(self, batch: int, parts: int) -> slice:
        """Return which patches of a batch are this process's, to be run in so many parts.

        Raises
        ------
        TrainingError
            When the batch cannot be divided evenly.
        """
        if batch % (self.size * parts):
            found = f"{batch} patches for {self.size} processes and {parts} passes each"
            expected = f"a multiple of {self.size * parts}"
            raise TrainingError("training.batch", found, expected, "Change the batch, or the number of processes.")
        own = batch // self.size
        return slice(self.rank * own, (self.rank + 1) * own)

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Add up tensors over all processes, in place; those of a type in one go.

        Raises
        ------
        TrainingError
            When another process has ended.
        """
        if self.size == 1:
            return
        for kind in dict.fromkeys(tensor.dtype for tensor in tensors):
            alike = [tensor for tensor in tensors if tensor.dtype == kind]
            flat = torch.cat([tensor.reshape(-1) for tensor in alike])
            with _all_present():
                distributed.all_reduce(flat)
            for tensor, part in zip(alike, torch.split(flat, [tensor.numel() for tensor in alike]), strict=True):
                tensor.copy_(part.view_as(tensor))

    def average_statistics(self, network: nn.Module) -> None:
        """Bring the statistics of normalising layers, which follow from each process's share, to their mean."""
        if self.size > 1:
            running = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
            self.add_up(running)
            torch._foreach_div_(running, self.size)

    def wait(self) -> None:
        """Wait until all processes are here; not for long, see :func:`mtlaerial.meeting.follow_main`.

        Raises
        ------
        TrainingError
            When another process has ended.
        """
        if self.size > 1:
            with _all_present():
                distributed.barrier()


@contextmanager
def _all_present() -> Iterator[None]:
    """Say plainly that another process is gone, where torch speaks of connections."""
    try:
        yield
    except RuntimeError as error:
        remedy = "If memory ran out, use a smaller batch; the same command goes on from the last epoch."
        expected = "all of them to go on together"
        raise TrainingError("another process of this training", "its sudden end", expected, remedy) from error


def _require_gpus(spec: TrainingSpec) -> None:
    gpus, processes = torch.cuda.device_count() if torch.cuda.is_available() else 0, ranks.size_here()
    if spec.accelerator == "cuda" and not gpus:
        found, remedy = "cuda, and no GPU that torch can use", "Write auto or cpu; or mend the driver (nvidia-smi)."
        raise TrainingError("training.accelerator", found, "a GPU", remedy)
    if spec.accelerator != "cpu" and 0 < gpus < processes:
        found, remedy = f"{processes} processes, and on this machine GPUs: {gpus}", "Start fewer, or write cpu."
        raise TrainingError("training.accelerator", found, "a GPU for every process", remedy)


def reproducible_fabric(spec: TrainingSpec, seed: int) -> Any:
    """Return Lightning Fabric's device and precision, with torch set to give the same numbers each time.

    Under ``torchrun`` its processes are joined to a group.

    Raises
    ------
    TrainingError
        When a GPU is asked for and torch sees none, or there are more processes than GPUs.
    """
    from lightning_fabric import Fabric

    _require_gpus(spec)
    torch.set_num_threads(spec.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it products of matrices differ each time
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a fifth of a step
    torch.manual_seed(seed)
    together: dict[str, Any] = {"devices": 1}
    if (size := Group.current().size) > 1:
        here = ranks.size_here()
        together = {"devices": here, "num_nodes": size // here, "strategy": "ddp"}
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it advises on what is decided here
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The `srun` command is available")
        fabric = Fabric(accelerator=spec.accelerator, precision=spec.precision, **together)
    fabric.launch()
    if fabric.device.type == "cpu" and not spec.checkpointing:  # time for memory, where checkpointing is the reverse
        keep_freed_memory()
    return fabric
