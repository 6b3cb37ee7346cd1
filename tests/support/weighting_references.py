"""Expected updates of every weighting on problems, at a level."""

from collections.abc import Callable

from torch import Tensor

from support import weighting_references_gramian, weighting_references_losses, weighting_references_rows

REFERENCES: dict[str, Callable[..., list[Tensor]]] = {
    **weighting_references_losses.REFERENCES,
    **weighting_references_gramian.REFERENCES,
    **weighting_references_rows.REFERENCES,
}
"""By name; called with successive problems, and with ``level`` where the weighting has levels."""
