"""Masks of the pixels that are scored for semantics, by their names in the tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class LabelMask:
    """Pixels that are scored for semantics.

    Attributes
    ----------
    eroded : bool
        Only those away from class boundaries, by the eroded labels.
    without : tuple of str
        Classes whose pixels are not scored, sorted, as the order is part of the name.
    """

    eroded: bool = False
    without: tuple[str, ...] = ()

    @classmethod
    def of(cls, eroded: bool, without: Iterable[str]) -> "LabelMask":
        """Return the mask without some classes, in whatever order these are named."""
        return cls(eroded, tuple(sorted(without)))

    @property
    def name(self) -> str:
        """The mask's name: ``all``, ``eroded``, ``without CLASS, …`` or ``eroded, without CLASS, …``."""
        without = f"without {', '.join(self.without)}" if self.without else ""
        return ", ".join(filter(None, ("eroded" if self.eroded else "", without))) or "all"


def label_masks(without: Sequence[str]) -> dict[str, LabelMask]:
    """Return the masks of scores by name: over all classes, and without some if there are any.

    Examples
    --------
    >>> list(label_masks(["clutter"]))
    ['all', 'eroded', 'without clutter', 'eroded, without clutter']
    """
    of_all = [LabelMask(), LabelMask(eroded=True)]
    of_some = [LabelMask.of(mask.eroded, without) for mask in of_all] if without else []
    return {mask.name: mask for mask in (*of_all, *of_some)}
