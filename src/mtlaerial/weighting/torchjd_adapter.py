"""Adapter to TorchJD: its random numbers, and its state, for which it has no public interface.

The only module that touches private attributes of TorchJD. Its weightings keep state in buffers that are None before
the first call, which ``load_state_dict`` skips, and they start anew when a private key of shape and dtype differs
(https://github.com/SimplexLab/TorchJD/pull/638 introduced it); DWA and FAMO keep theirs in plain attributes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:  # TorchJD imports cvxpy, a second that only its own methods should cost
    import torchjd.scalarization
    from torchjd.aggregation import ExcessMTLWeighting

_CPU = torch.device("cpu")


@contextmanager
def drawing_from(generator: torch.Generator, device: torch.device = _CPU) -> Iterator[None]:
    """Let torch's global generators, the only ones that TorchJD draws from, continue a generator on the CPU.

    Numbers that are drawn on another device follow from one number of the generator.
    """
    if device.type != "cpu":
        seed = int(torch.randint(2**62, (), generator=generator))
        with torch.random.fork_rng([device], device_type=device.type):
            torch.manual_seed(seed)
            yield
        return
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(generator.get_state())
        yield
        generator.set_state(torch.get_rng_state())


def buffers(method: nn.Module) -> dict[str, Tensor]:
    """Return copies of the buffers of one of TorchJD's weightings; none before its first call."""
    return {name: buffer.clone() for name, buffer in method.named_buffers()}


def restore(method: Any, state: Mapping[str, Tensor], key: object = None) -> None:
    """Set the buffers of one of TorchJD's weightings.

    Parameters
    ----------
    method : TorchJD's weighting
    state : mapping of name to Tensor
        As :func:`buffers` returned them; they are copied.
    key : object
        The key under which the weighting keeps its state, where it has one.
    """
    method.reset()
    for name, buffer in state.items():
        method.register_buffer(name, buffer.clone())
    if state and key is not None:
        set_key(method, key)


def set_key(method: Any, key: object) -> None:
    """Set the key under which one of TorchJD's weightings keeps its state; under another it would start anew."""
    method._state_key = key


def excess_mtl_steps(method: "ExcessMTLWeighting") -> int:
    """Return the number of batches that ExcessMTL has counted."""
    return method._n_steps


def set_excess_mtl_steps(method: "ExcessMTLWeighting", steps: int) -> None:
    """Set the number of batches that ExcessMTL has counted."""
    method._n_steps = steps


def dwa_weights(dwa: "torchjd.scalarization.DWA", losses: Tensor) -> Tensor:
    """Return the weights of DWA without counting the losses among the epoch's, as ``forward`` would."""
    return dwa._compute_weights(losses)


def dwa_epochs(dwa: "torchjd.scalarization.DWA") -> list[Tensor]:
    """Return the mean losses of the last two epochs, as far as there were any."""
    return list(dwa._previous_averages)


def restore_dwa_epochs(dwa: "torchjd.scalarization.DWA", means: Sequence[Tensor]) -> None:
    """Set the mean losses of the last two epochs."""
    dwa._previous_averages = list(means)


def set_famo_optimiser(famo: "torchjd.scalarization.FAMO", optimiser: torch.optim.Adam) -> None:
    """Give FAMO an optimiser: its own is made with the first update, so that no state could be loaded into it."""
    famo._optimizer = optimiser
