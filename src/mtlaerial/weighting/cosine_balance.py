"""Combinations of gradients whose cosines with each of them are in given proportions."""

import torch
from torch import Tensor

TINY = torch.finfo(torch.float32).eps
"""Times the number of tasks: eigenvalues of cosines below it are rounding, as inner products come in float32."""
APART = 1e-3
"""Share of the proportions in dependent directions above which these decide."""


def polar(gramian: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients' norms over the mean norm, shape (n,), and their cosines, shape (n, n).

    What is solved for cosines is exact however much the norms differ.
    """
    norms = gramian.diagonal().sqrt()
    return norms / norms.mean(), gramian / norms / norms[:, None]


def balanced(cosines: Tensor, proportions: Tensor) -> Tensor:
    """Return weights v of unit gradients, but for a positive factor, with cosines in given proportions.

    ``C v`` is in proportion to p for the cosines C: ``v = C⁻¹ p`` but for its length. Where gradients depend on each
    other, that is the limit for ``C + e 1`` as e tends to 0: the part of p in the null space of C, along which the
    gradients cancel out, and where there is none the pseudo-inverse of C. With two tasks v is known in closed form,
    and continuous also there; for equal proportions it does not depend on the angle. With more, two parallel gradients
    beside a third have no limit: it would depend on the plane in which their angle closes.

    Parameters
    ----------
    cosines : Tensor, shape (n, n), float64
        Inner products of the unit gradients.
    proportions : Tensor, shape (n,), float64
        Positive.

    Returns
    -------
    Tensor, shape (n,), float64

    Examples
    --------
    >>> cosines = torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=torch.float64)
    >>> balanced(cosines, torch.ones(2, dtype=torch.float64))
    tensor([1., 1.], dtype=torch.float64)
    """
    if len(cosines) == 1 or bool((proportions[0] == proportions).all() and len(cosines) == 2):
        return proportions
    if len(cosines) == 2:
        return _balanced_pair(float(cosines[0, 1].clamp(-1, 1)), proportions)
    values, vectors = torch.linalg.eigh(cosines)
    along = vectors.T @ proportions
    null = values <= len(values) * TINY * values.max()
    if bool(along[null].norm() > APART * along.norm()):
        weights: Tensor = vectors[:, null] @ along[null]
    else:
        weights = vectors[:, ~null] @ (along[~null] / values[~null])
    return weights


def _balanced_pair(cosine: float, proportions: Tensor) -> Tensor:
    """Return ``(1 + c) (1 - c) C⁻¹ p``: from the eigenvectors (1, 1) and (1, -1), without a division."""
    half_sum, half_difference = proportions.sum() / 2, (proportions[0] - proportions[1]) / 2
    opposite = torch.tensor([1.0, -1.0], dtype=proportions.dtype)
    return (1 - cosine) * half_sum + (1 + cosine) * half_difference * opposite
