"""The share of the ground of training and validation tiles that the buffer takes."""

from collections.abc import Iterator, Sequence

from mtlaerial.config import SPLITS
from mtlaerial.datasets.buffer import LATER, BufferZones
from mtlaerial.datasets.check.findings import Findings, percent
from mtlaerial.datasets.footprints import Footprint

_ALL = 0.999
"""Share of a split's ground from which on nothing useful is left."""


def check_buffer(placed: Sequence[Footprint], buffer: float, findings: Findings) -> None:
    """Refuse a buffer that takes all the ground that would be trained on."""
    for ground, share in _shares(placed, buffer):
        if share > _ALL:
            observed = f"{buffer:g} m, which takes all the ground of {ground}"
            findings.error("buffer", observed, "a buffer that leaves some", "Lower buffer, or change the splits.")


def buffer_notes(placed: Sequence[Footprint], buffer: float) -> list[str]:
    """Return sentences on the share of the ground that the buffer takes."""
    shares = [f"{percent(share)} of the ground of {ground}" for ground, share in _shares(placed, buffer)]
    return [f"The buffer of {buffer:g} m takes {share}: truth there is not used." for share in shares]


def _shares(placed: Sequence[Footprint], buffer: float) -> Iterator[tuple[str, float]]:
    """Yield names of the ground that the buffer takes truth of, and the share that it takes."""
    for name, groups, later in _kept_apart({footprint.group for footprint in placed}):
        members = [footprint for footprint in placed if footprint.group in groups]
        held_out = [footprint for footprint in placed if footprint.group in later]
        if members and held_out:
            yield name, _share(members, BufferZones(held_out, buffer))


def _kept_apart(groups: set[str]) -> Iterator[tuple[str, set[str], set[str]]]:
    """Yield a name, the groups whose truth is used, and those that it is kept away from: by split, or by fold."""
    if groups <= set(SPLITS):
        for split, later in LATER.items():
            yield f"the {split} tiles", {split}, set(later)
        return
    for area in sorted(groups):
        yield f"the training tiles where {area} is tested", groups - {area}, {area}


def _share(members: Sequence[Footprint], zones: BufferZones) -> float:
    scales = [footprint.metres_per_unit() ** 2 for footprint in members]
    areas = [footprint.box.area for footprint in members]
    taken = [zones.near(footprint).intersection(footprint.box).area for footprint in members]
    whole = sum(scale * area for scale, area in zip(scales, areas, strict=True))
    return float(sum(scale * area for scale, area in zip(scales, taken, strict=True)) / whole)
