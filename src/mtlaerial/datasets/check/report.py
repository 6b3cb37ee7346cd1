"""Reports of the data checks per tile and data set, as pydantic models for JSON."""

from mtlaerial.config import Section, Split
from mtlaerial.datasets.check.findings import Finding

Size = tuple[int, int]
"""Rows and columns."""


class ImageFacts(Section):
    """The image of a tile, as in its file."""

    size: Size
    gsd: float | None = None
    """Metres per pixel, from the georeference, else from the specification."""
    crs: str | None = None
    bounds: tuple[float, float, float, float] | None = None
    """West, south, east, north in the CRS; None without georeference, or with one that an error rejects."""
    georeference_rejected: bool = False
    """Whether an error rejects the georeference, e.g. of a rotated raster."""
    dtype: str
    bands: int
    """Bands of the file, used or not."""
    nodata: float | None = None
    """Share of pixels without image, 0-1: by the specification, the file's tag, alpha band or mask, or not finite."""
    minimum: float | None = None
    maximum: float | None = None
    digest: str | None = None
    """SHA-256 of the pixels of the bands used; None if not all could be read."""


class HeightFacts(Section):
    """The heights of a tile in metres above ground; statistics over the cells within the specified range."""

    present: bool
    size: Size | None = None
    """Rows and columns of the tile's cells; the file may cover only a part."""
    nodata: float | None = None
    """Share of cells without a height, 0-1."""
    minimum: float | None = None
    maximum: float | None = None
    median: float | None = None
    """Of all cells, or of an even sample of about a million."""


class LabelsFacts(Section):
    """The labels of a tile."""

    present: bool
    size: Size | None = None
    nodata: float | None = None
    """Share of pixels without a class, 0-1."""
    classes: dict[str, int] = {}
    """Pixels per class, by name."""


class TileReport(Section):
    """The findings and facts of a tile."""

    dataset: str
    tile: str
    split: Split
    area: str = ""
    """The area that the tile is tested in; empty for fixed splits."""
    generated: bool
    """True for a tile of a generated data set."""
    generation: str = ""
    """Style and noise of the generated files, as a phrase; empty where their note does not state them."""
    findings: tuple[Finding, ...]
    image: ImageFacts | None
    """None if there is no readable file."""
    height: HeightFacts | None
    """None if the data set has no heights."""
    labels: LabelsFacts | None
    """None if the data set has no labels."""
    eroded: LabelsFacts | None
    """Labels with eroded borders; None if not specified for the tile."""

    @property
    def group(self) -> str:
        """The area, or else the split: no ground may be in two groups."""
        return self.area or self.split

    @property
    def ok(self) -> bool:
        """Whether there are no errors; there may be warnings."""
        return not any(finding.level == "error" for finding in self.findings)


class DatasetReport(Section):
    """The findings and facts of a data set."""

    dataset: str
    tiles: tuple[TileReport, ...]
    splits: tuple[Finding, ...]
    """Findings between tiles, each of which may be correct in itself."""
    notes: tuple[str, ...] = ()
    """Notes on the splits that are no faults."""

    @property
    def generated(self) -> bool:
        """Whether the data set is generated."""
        return any(report.generated for report in self.tiles)

    @property
    def generation(self) -> str:
        """Style and noise of generated files, as a phrase; empty if not known."""
        return next((report.generation for report in self.tiles if report.generation), "")

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings: of the tiles, then between tiles."""
        return tuple(finding for report in self.tiles for finding in report.findings) + self.splits

    @property
    def ok(self) -> bool:
        """Whether there are no errors; there may be warnings."""
        return not any(finding.level == "error" for finding in self.findings)
