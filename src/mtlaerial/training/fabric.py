"""Lightning Fabric: device, precision and reproducible torch settings."""

import logging
import os
import warnings
from typing import Any

import torch

from mtlaerial.config import TrainingSpec
from mtlaerial.errors import TrainingError
from mtlaerial.system import ranks
from mtlaerial.system.malloc import keep_freed_memory
from mtlaerial.training.process_group import Group

log = logging.getLogger(__name__)


def require_gpus(spec: TrainingSpec) -> None:
    """Refuse a device that this machine lacks.

    Raises
    ------
    TrainingError
        When a GPU is requested and torch sees none, or there are more processes than GPUs.
    """
    gpus, processes = torch.cuda.device_count() if torch.cuda.is_available() else 0, ranks.size_here()
    if spec.accelerator == "cuda" and not gpus:
        remedy = "Write auto or cpu; or mend the driver (nvidia-smi)."
        raise TrainingError("training.accelerator", "cuda, and no GPU that torch can use", "a GPU", remedy)
    if spec.accelerator != "cpu" and 0 < gpus < processes:
        numbers, remedy = f"{processes} processes, and on this machine GPUs: {gpus}", "Start fewer, or write cpu."
        raise TrainingError("training.accelerator", numbers, "a GPU for every process", remedy)


def _warn_of_threads(spec: TrainingSpec) -> None:
    cores = os.cpu_count() or 1
    if spec.threads > cores:
        log.warning(
            "training.threads is %d, and this machine has %d cores: fewer threads are faster, and change the result by "
            "rounding",
            *(spec.threads, cores),
        )


def reproducible_fabric(spec: TrainingSpec, seed: int) -> Any:
    """Return Lightning Fabric with a device and a precision, and set torch to deterministic algorithms.

    Under ``torchrun`` this joins the processes to a process group.

    Raises
    ------
    TrainingError
        As :func:`require_gpus` does.
    """
    from lightning_fabric import Fabric

    require_gpus(spec)
    _warn_of_threads(spec)
    torch.set_num_threads(spec.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is deterministic only with it
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # it takes a fifth of a step
    torch.manual_seed(seed)
    together: dict[str, Any] = {"devices": 1}
    if (size := Group.current().size) > 1:
        here = ranks.size_here()
        together = {"devices": here, "num_nodes": size // here, "strategy": "ddp"}
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # its advice concerns settings chosen here
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The `srun` command is available")
        fabric = Fabric(accelerator=spec.accelerator, precision=spec.precision, **together)
    fabric.launch()
    if fabric.device.type == "cpu" and not spec.checkpointing:  # checkpointing trades time for memory, this the reverse
        keep_freed_memory()
    return fabric
