"""Connected components of classes in a strip, and their union with the objects of the strip above."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Labels = NDArray[np.int32]
"""Numbers of objects from 1; 0 for pixels of none."""


class Components(NamedTuple):
    """Components of a strip, by 4-neighbourhood.

    Attributes
    ----------
    labels : array of int32, shape (rows, columns)
    codes : array of uint8, shape (components,)
        Class of each component.
    """

    labels: Labels
    codes: NDArray[np.uint8]


def label_components(codes: NDArray[np.uint8], classes: Sequence[int]) -> Components:
    """Return the components of some classes.

    Parameters
    ----------
    codes : array of uint8, shape (rows, columns)
    classes : sequence of int
        Codes of the classes whose pixels are labelled.

    Examples
    --------
    >>> label_components(np.array([[1, 0, 1], [1, 0, 2]], np.uint8), [1]).labels.tolist()
    [[1, 0, 2], [1, 0, 0]]
    """
    labels = np.zeros(codes.shape, dtype=np.int32)
    code_parts = [np.zeros(0, dtype=np.uint8)]
    count = 0
    for code in classes:
        mask = codes == code
        of_class, number = ndimage.label(mask, output=np.int32)
        labels[mask] = of_class[mask] + count
        code_parts.append(np.full(number, code, dtype=np.uint8))
        count += number
    return Components(labels, np.concatenate(code_parts))


def join_seam(above: Labels, open_codes: NDArray[np.uint8], below: Components) -> tuple[int, Labels]:
    """Return the union of open objects and the components of the next strip across their seam.

    Parameters
    ----------
    above : array of int32, shape (columns,)
        Open objects in the row above the strip.
    open_codes : array of uint8, shape (open objects,)
    below : Components

    Returns
    -------
    int
        Number of sets.
    array of int32, shape (open objects + components,)
        Set of each open object, then of each component, from 0.
    """
    first = below.labels[0]
    touching = np.flatnonzero((above > 0) & (first > 0))
    upper, lower = above[touching] - 1, first[touching] - 1
    alike = open_codes[upper] == below.codes[lower]
    nodes = len(open_codes) + len(below.codes)
    edges = (upper[alike], lower[alike] + len(open_codes))
    graph = coo_array((np.ones(len(edges[0]), dtype=np.bool_), edges), shape=(nodes, nodes))
    # Union-find over the pairs of the seam, compiled.
    count, sets = connected_components(graph, directed=False)
    return int(count), sets.astype(np.int32)
