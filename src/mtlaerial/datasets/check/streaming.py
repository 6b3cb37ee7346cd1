"""Joint streaming of the parts of layer files that a tile covers."""

from collections.abc import Callable, Iterator, Sequence

from rasterio.windows import Window

from mtlaerial.datasets.check.findings import Findings
from mtlaerial.datasets.check.part import Part
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.sparse import require_all_parts
from mtlaerial.rasters.validity import MaskedBands, Pixels


def read_through(part: Part, findings: Findings) -> None:
    """Read all pixels of a part, to report damaged ones."""
    with findings.collecting():
        for _ in stream([part]):
            pass


def gather(parts: Sequence[Part], add: Callable[..., None], findings: Findings, zero_counts: bool = True) -> None:
    """Pass the pixels of all parts to a function, block by block; report each file that cannot be read.

    Parameters
    ----------
    parts : sequence of Part
    add : callable
        Takes a :class:`Pixels` of each part.
    findings : Findings
    zero_counts : bool
        Whether the raw value 0 is data: then blocks that the file lacks are reported.
    """
    errors = findings.errors
    with findings.collecting():
        for blocks in stream(parts):
            add(*blocks)
    if findings.errors > errors:  # the first damaged file ended the stream; the other may be damaged too
        for part in parts[1:]:
            read_through(part, findings)
    elif zero_counts:
        for part in parts:
            with findings.collecting(), open_raster(part.path) as source:
                require_all_parts(MaskedBands(source, part.used), part.window)


def stream(parts: Sequence[Part]) -> Iterator[tuple[Pixels, ...]]:
    """Yield the pixels of aligned parts in blocks of rows, within all files' extents."""
    tops, bottoms, lefts, rights = zip(*(part.inside for part in parts), strict=True)
    top, left, height, width = max(tops), max(lefts), min(bottoms) - max(tops), min(rights) - max(lefts)
    if height <= 0 or width <= 0:
        return
    windows = [Window(part.column + left, part.row + top, width, height) for part in parts]
    yield from zip(*map(_blocks, parts, windows), strict=True)


def _blocks(part: Part, window: Window) -> Iterator[Pixels]:
    with open_raster(part.path) as source:
        yield from MaskedBands(source, part.used).blocks(window)
