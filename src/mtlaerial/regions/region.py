"""A region to map: its grid, its images in their order, and its sheets; kept as a JSON file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import shapely
from affine import Affine
from rasterio.crs import CRS

from mtlaerial.errors import DataError
from mtlaerial.rasters.admission import admit
from mtlaerial.rasters.grid import Grid
from mtlaerial.regions.mosaic import Span
from mtlaerial.regions.sheets import Sheet
from mtlaerial.system.files import write_text

FORMAT = 2
"""Version of the file's form."""


@dataclass(frozen=True)
class RegionImage:
    """An image of a region, as it was when the region was planned.

    Attributes
    ----------
    path : Path
    grid : Grid
        The file's.
    bands : tuple of int
        Bands to read, counted from 1, in the order the network sees them.
    span : Span
        The pixels of the region that it covers, in part or wholly.
    size, modified : int
        Bytes of the file, and its time of modification in nanoseconds.
    """

    path: Path
    grid: Grid
    bands: tuple[int, ...]
    span: Span
    size: int
    modified: int

    @property
    def version(self) -> tuple[int, int]:
        """Size and time of the file when the region was planned; see :func:`file_version`."""
        return self.size, self.modified

    @property
    def identity(self) -> list[Any]:
        """Values that tell another image, or another version of the file, apart."""
        return [self.path.name, self.size, self.modified, *self.span, list(self.bands)]


@dataclass(frozen=True)
class Region:
    """A region to map.

    Attributes
    ----------
    grid : Grid
        Its pixels; all maps have them.
    side : int
        Side of a sheet in pixels.
    images : tuple of RegionImage
        Where images overlap, the first one that is valid counts.
    sheets : tuple of Sheet
        Those that have an image and a part of the area.
    area : shapely geometry or None
        The only part that is mapped, in the region's CRS.
    stated_range : tuple of float or None
        Values of the images that become the limits of the training's range.
    plan_id, match_id : str
        Hashes of what the plan depends on, and of what decides whether and how an image matches the run.
    """

    grid: Grid
    side: int
    images: tuple[RegionImage, ...]
    sheets: tuple[Sheet, ...]
    area: Any = None
    stated_range: tuple[float, float] | None = None
    plan_id: str = ""
    match_id: str = ""

    def images_of(self, span: Span) -> list[RegionImage]:
        """Return the images that have pixels of a span, in their order."""
        candidates = self._tree.query(_box(span))
        return [self.images[index] for index in sorted(candidates) if self.images[index].span.shared(span)]

    def span_of(self, sheet: Sheet) -> Span:
        """Return the pixels of a sheet."""
        return sheet.span(self.side, self.grid.height, self.grid.width)

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree([_box(image.span) for image in self.images])

    def save(self, path: Path) -> None:
        """Write the region to a file."""
        # Each CRS once: as WKT it is longer than all else of an image.
        projections = list(dict.fromkeys(image.grid.crs for image in self.images))
        values = {
            "format": FORMAT,
            "projections": [crs_text(crs) for crs in projections],
            "grid": [crs_text(self.grid.crs), *grid_values(self.grid)],
            "side": self.side,
            "area": None if self.area is None else shapely.to_wkt(self.area, rounding_precision=-1),
            "stated_range": self.stated_range,
            "plan_id": self.plan_id,
            "match_id": self.match_id,
            "images": [_image_values(image, projections.index(image.grid.crs)) for image in self.images],
            "sheets": self.sheets,
        }
        write_text(path, json.dumps(values) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Region":
        """Read a region from a file.

        Raises
        ------
        DataError
            When there is none, or it is damaged or of another version.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values["format"] != FORMAT:
                raise ValueError(f"format {values['format']}")
            projections = [crs_of(text) for text in values["projections"]]
            text, *grid_values = values["grid"]
            return cls(
                grid=grid_of(crs_of(text), *grid_values),
                side=values["side"],
                images=tuple(_image(image, projections) for image in values["images"]),
                sheets=tuple(Sheet(*sheet) for sheet in values["sheets"]),
                area=None if values["area"] is None else shapely.from_wkt(values["area"]),
                stated_range=values["stated_range"] and tuple(values["stated_range"]),
                plan_id=values["plan_id"],
                match_id=values["match_id"],
            )
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            raise DataError(path, f"no region ({error})", f"a region of format {FORMAT}", "Remove it.") from None


def file_version(path: Path) -> tuple[int, int]:
    """Return bytes and time of modification in nanoseconds of an image; another version differs in one of them.

    They are sums over all files that decide its pixels: a VRT, what it reads, and masks beside them.

    Raises
    ------
    OSError
        When there is no such file.
    DataError
        When the file is no raster that is accepted.
    """
    stats = [path.stat(), *(file.stat() for file in admit(path).files if not _is_of_overviews(file))]
    return sum(stat.st_size for stat in stats), sum(stat.st_mtime_ns for stat in stats)


def _is_of_overviews(path: Path) -> bool:
    """Return whether a file has overviews, or masks of these: no pixel of an image follows from them."""
    return any(suffix.lower() == ".ovr" for suffix in path.suffixes)


def bounding_span(spans: Sequence[Span]) -> Span:
    """Return the smallest span that holds all of some spans."""
    row, column = min(span.row for span in spans), min(span.column for span in spans)
    bottom, right = max(span.row + span.rows for span in spans), max(span.column + span.columns for span in spans)
    return Span(row, column, bottom - row, right - column)


def _box(span: Span) -> Any:
    return shapely.box(span.column, span.row, span.column + span.columns, span.row + span.rows)


def crs_text(crs: CRS | None) -> str | None:
    """Return a CRS as WKT."""
    return crs.to_wkt() if crs else None


def crs_of(text: str | None) -> CRS | None:
    """Return the CRS of a WKT."""
    return CRS.from_wkt(text) if text else None


def grid_values(grid: Grid) -> list[Any]:
    """Return transform, height and width of a grid as plain data."""
    return [tuple(grid.transform)[:6], grid.height, grid.width]


def grid_of(crs: CRS | None, transform: Sequence[float], height: int, width: int) -> Grid:
    """Return the grid of plain data."""
    return Grid(crs, Affine(*transform), height, width)


def _image_values(image: RegionImage, projection: int) -> list[Any]:
    place = projection, *grid_values(image.grid)
    return [str(image.path), place, image.bands, image.span, image.size, image.modified]


def _image(values: Sequence[Any], projections: Sequence[CRS | None]) -> RegionImage:
    path, (projection, *grid), bands, span, size, modified = values
    return RegionImage(Path(path), grid_of(projections[projection], *grid), tuple(bands), Span(*span), size, modified)
