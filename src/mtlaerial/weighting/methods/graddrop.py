"""GradDrop: where gradients disagree in sign, one sign is drawn."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torchjd.aggregation import GradDrop as Drop

from mtlaerial.config import Section
from mtlaerial.weighting.base import Step
from mtlaerial.weighting.gradient_weighting import CutWeighting, Level
from mtlaerial.weighting.task_gradients import Gradients, accumulate, assign, assign_heads, gather, gramian


class GradDrop(CutWeighting):
    """Keeps in each element the gradients of one sign: the positive ones with their share in the sum of magnitudes.

    ``p = (1 + sum_t g_t / sum_t |g_t|) / 2`` in each element; with probability p the positive gradients are added, else
    the negative ones; of the others the share ``leak`` remains. Chen et al. 2020, arXiv 2010.06808, algorithm 1, lines
    10 to 15; published at the features. Computed by TorchJD. There a sign may be drawn once for all samples of a batch;
    here for each element of each patch. So each pass of an accumulated batch is treated by itself, with one backward
    pass of the trunk whatever the number of tasks.

    The rule has no weights: told are those whose combination comes nearest to what was kept, by least squares.
    """

    paper = "Chen et al. 2020"

    class Options(Section):
        """How much of the other sign remains."""

        level: Level = "features"
        leak: Annotated[float, Field(ge=0, le=1)] = 0.0
        """0 drops it; 1 gives the plain sum."""

    def backward(self, step: Step) -> Tensor:
        """Drop signs at the level."""
        return self._at_features(step) if self.level == "features" else self._at_parameters(step)

    def _at_features(self, step: Step) -> Tensor:
        tables: list[Tensor] = []

        def combine(gradients: Gradients) -> list[Tensor]:
            kept = self._kept(gradients)
            tables.append(gramian([*gradients, tuple(kept)]))
            return kept

        _, heads = accumulate(step, combine)
        assign_heads(step, heads)
        step.add_up_gradients()
        table = torch.stack(tables).sum(dim=0)
        step.add_up([table])
        return nearest(table)

    def _at_parameters(self, step: Step) -> Tensor:
        found = gather(step)
        kept = self._kept(found.trunk)
        assign(step.trunk, kept)
        assign_heads(step, found.heads)
        return nearest(gramian([*found.trunk, tuple(kept)]))

    def _kept(self, gradients: Gradients) -> list[Tensor]:
        with drawn_alike(gradients[0][0].device):
            return [self._kept_of(torch.stack(parts)) for parts in zip(*gradients, strict=True)]

    def _kept_of(self, parts: Tensor) -> Tensor:
        matrix = parts.flatten(start_dim=1).float()
        drop = Drop(leak=matrix.new_full((len(matrix),), self.options.leak))
        return drop(matrix).view(parts.shape[1:]).to(parts.dtype)


@contextmanager
def drawn_alike(device: torch.device) -> Iterator[None]:
    """Let what is drawn on a device follow from the CPU's generator, which is the same in all processes."""
    if device.type == "cpu":
        yield
        return
    seed = int(torch.randint(2**62, ()))
    with torch.random.fork_rng([device], device_type=device.type):
        torch.manual_seed(seed)
        yield


def nearest(table: Tensor) -> Tensor:
    """Return the weights with which gradients come nearest to a combination of them.

    Parameters
    ----------
    table : Tensor, shape (tasks + 1, tasks + 1)
        Inner products of the gradients, and last of the combination.

    Returns
    -------
    Tensor, shape (tasks,), float64, on the CPU
        0 for gradients of 0, 1 where products are not finite.
    """
    products = table.cpu().double()
    if not bool(products.isfinite().all()):
        return torch.ones(len(products) - 1, dtype=torch.float64)
    inverse: Tensor = torch.linalg.pinv(products[:-1, :-1], rtol=1e-6, hermitian=True)
    return inverse @ products[:-1, -1]
