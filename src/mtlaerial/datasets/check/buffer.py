"""The share of the ground of training and validation tiles that the buffer takes."""

from collections.abc import Sequence

from mtlaerial.datasets.buffer import LATER, BufferZones
from mtlaerial.datasets.check.findings import Findings, percent
from mtlaerial.datasets.footprints import Footprint

_ALL = 0.999
"""Share of a split's ground from which on nothing useful is left."""


def check_buffer(placed: Sequence[Footprint], buffer: float, findings: Findings) -> None:
    """Refuse a buffer that takes all of a split's ground."""
    for split, share in buffer_shares(placed, buffer).items():
        if share > _ALL:
            observed = f"{buffer:g} m, which takes all the ground of the {split} tiles"
            findings.error("buffer", observed, "a buffer that leaves some", "Lower buffer, or change the splits.")


def buffer_notes(placed: Sequence[Footprint], buffer: float) -> list[str]:
    """Return a sentence per split on the share of its ground that the buffer takes."""
    shares = buffer_shares(placed, buffer).items()
    ground = [f"{percent(share)} of the ground of the {split} tiles" for split, share in shares]
    return [f"The buffer of {buffer:g} m takes {share}: truth there is not used." for share in ground]


def buffer_shares(placed: Sequence[Footprint], buffer: float) -> dict[str, float]:
    """Return the share of the ground of training and of validation tiles that the buffer takes."""
    shares: dict[str, float] = {}
    for split, later in LATER.items():
        members = [footprint for footprint in placed if footprint.group == split]
        held_out = [footprint for footprint in placed if footprint.group in later]
        if members and held_out:
            shares[split] = _share(members, BufferZones(held_out, buffer))
    return shares


def _share(members: Sequence[Footprint], zones: BufferZones) -> float:
    scales = [footprint.metres_per_unit() ** 2 for footprint in members]
    areas = [footprint.box.area for footprint in members]
    taken = [zones.near(footprint).intersection(footprint.box).area for footprint in members]
    whole = sum(scale * area for scale, area in zip(scales, areas, strict=True))
    return float(sum(scale * area for scale, area in zip(scales, taken, strict=True)) / whole)
