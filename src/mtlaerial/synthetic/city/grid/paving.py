"""The surface of streets: carriageways with markings, pavements, and parked cars."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.synthetic.city.grid.streets import Streets
from mtlaerial.synthetic.city.markings import park_cars, stroke
from mtlaerial.synthetic.city.noise import Floats, uniform
from mtlaerial.synthetic.city.surface import Kind, Surface


def pave(surface: Surface, streets: Streets, u: Floats, v: Floats, gsd: float) -> None:
    """Put streets and pavements, with markings and cars, on a surface."""
    inside = streets.paved
    part = Surface.of(Kind.PAVEMENT, u[inside].shape)
    part.shade = _paving(u[inside], v[inside])
    side, block, distance = streets.nearest[0][inside], streets.block_index[inside], streets.distance[:, inside]
    across = np.take_along_axis(distance, side[None], 0)[0]
    half, main, street = (of_block[side, block] for of_block in (streets.half, streets.main, streets.street))
    along = np.where(side < 2, v[inside], u[inside])
    # Distance to the carriageways of crossing streets: junctions have no markings and no cars.
    gaps = distance - streets.half.take(block, axis=1)
    crossing = np.where(side < 2, gaps[2:].min(axis=0), gaps[:2].min(axis=0))
    crossed = np.stack([streets.main[2:].any(axis=0), streets.main[:2].any(axis=0)])[side // 2, block]
    road = across < half
    lane = _carriageway(gsd, *(a[road] for a in (across, along, half, main, crossing)))
    _crosswalks(lane, *(a[road] for a in (across, crossing, main & crossed)))
    _park_on_street(lane, *(a[road] for a in (across, along, half, main, crossing, street, side)))
    part.insert(road, lane)
    surface.insert(inside, part)


def _paving(u: Floats, v: Floats) -> Floats:
    """Return the brightness of paving slabs of 1.6 m."""
    return np.float32(0.94) + np.float32(0.1) * uniform(5, np.floor(u / 1.6), np.floor(v / 1.6))


def _carriageway(
    gsd: float, across: Floats, along: Floats, half: Floats, main: NDArray[np.bool_], crossing: Floats
) -> Surface:
    part = Surface.of(Kind.ROAD, across.shape)
    part.kind[main] = Kind.MAIN_ROAD
    dashes = (along % 8 < 4) & (crossing > 2.0)
    centre = np.where(dashes | main, stroke(across, 0.14, gsd), 0) * (crossing > 2.0)
    lanes = np.where(dashes & main, stroke(across - 3.4, 0.12, gsd), 0)
    kerb = stroke(across - half + 0.3, 0.1, gsd) * main * (crossing > 1.0)
    part.shade += np.float32(1.5) * np.maximum.reduce([centre, lanes, 0.6 * kerb])
    # Lanes are darkened by tyres.
    part.shade -= np.float32(0.06) * np.cos(across * np.float32(3.5))
    return part


def _crosswalks(part: Surface, across: Floats, crossing: Floats, where: NDArray[np.bool_]) -> None:
    zebra = where & (crossing > 3.4) & (crossing < 6.6)
    part.put(zebra, Kind.CROSSWALK, shade=np.where(across % 1.2 < 0.6, np.float32(2.4), np.float32(1.0)))


def _park_on_street(
    part: Surface, across: Any, along: Floats, half: Floats, main: NDArray[np.bool_], crossing: Floats, *keys: Any
) -> None:
    """Put cars at the kerbs of side streets and on the lanes of main streets."""
    lanes = ((~main, half - 1.1, 6.4, 0.42), (main, 2.0, 19.0, 0.4), (main, 4.9, 23.0, 0.3))
    for number, (street_mask, axis, pitch, share) in enumerate(lanes):
        park_cars(part, street_mask & (crossing > 3.5), across - axis, along, pitch, share, *keys, number)
