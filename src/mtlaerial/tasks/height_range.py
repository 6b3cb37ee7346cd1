"""Range of the heights around each cell: the truth of height edges."""

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d


def height_range(heights: Tensor, cells: int) -> Tensor:
    """Return the difference between the highest and the lowest height around each cell: the morphological gradient.

    Parameters
    ----------
    heights : Tensor, shape (windows, rows, columns), metres
        NaN where not known; such neighbours do not count.
    cells : int
        Cells in each direction: the neighbourhood is a square of ``2 cells + 1``.

    Returns
    -------
    Tensor, of the same shape, metres
        At least 0; NaN where the height itself is not known.

    Notes
    -----
    Rivest, Soille & Beucher 1993, "Morphological gradients", Journal of Electronic Imaging 2(4).

    Examples
    --------
    >>> height_range(torch.tensor([[[0.0, 0.0, 5.0, torch.nan]]]), cells=1)
    tensor([[[0., 5., 5., nan]]])
    """
    unknown = heights.isnan()
    highest = _highest(heights.masked_fill(unknown, -torch.inf), cells)
    lowest = -_highest(-heights.masked_fill(unknown, torch.inf), cells)
    return (highest - lowest).masked_fill(unknown, torch.nan)


def _highest(values: Tensor, cells: int) -> Tensor:
    """Return the largest value around each cell, along columns first and then along rows: far fewer comparisons."""
    side = 2 * cells + 1
    along_columns = max_pool2d(values[:, None], (side, 1), stride=1, padding=(cells, 0))
    return max_pool2d(along_columns, (1, side), stride=1, padding=(0, cells))[:, 0]
