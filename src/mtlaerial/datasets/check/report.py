"""The reports: what was found in each tile and between the splits, as pydantic models for JSON."""

from mtlaerial.config import Section, Split
from mtlaerial.datasets.check.findings import Finding

Size = tuple[int, int]
"""Rows and columns."""


class ImageFacts(Section):
    """The image of a tile, as its file says."""

    size: Size
    gsd: float | None = None
    """Metres per pixel, from the georeference, else from the specification."""
    crs: str | None = None
    bounds: tuple[float, float, float, float] | None = None
    """West, south, east, north in the CRS; none without a georeference."""
    dtype: str
    bands: int
    """Bands of the file, used or not."""
    nodata: float | None = None
    """Share of pixels outside the image, 0-1."""
    minimum: float | None = None
    maximum: float | None = None
    digest: str | None = None
    """SHA-256 of the pixels of the bands used; none where they could not all be read."""


class HeightFacts(Section):
    """The height of a tile in metres above ground; the statistics are of the cells within the specified range."""

    present: bool
    size: Size | None = None
    """Cells of the tile; the file may cover only some."""
    nodata: float | None = None
    """Share of cells without a height, 0-1."""
    minimum: float | None = None
    maximum: float | None = None
    median: float | None = None
    """Of all cells, or of a million spread evenly where there are more."""


class LabelsFacts(Section):
    """The labels of a tile."""

    present: bool
    size: Size | None = None
    nodata: float | None = None
    """Share of pixels without a class, 0-1."""
    classes: dict[str, int] = {}
    """Pixels per class, by name."""


class TileReport(Section):
    """All that was found in a tile."""

    dataset: str
    tile: str
    split: Split
    generated: bool
    """True for a tile of a generated data set."""
    findings: tuple[Finding, ...]
    image: ImageFacts | None
    """None where there is no readable file."""
    height: HeightFacts | None
    """None where the data set has no heights."""
    labels: LabelsFacts | None
    """None where the data set has no labels."""
    eroded: LabelsFacts | None
    """Labels without borders; None where they are not looked for."""

    @property
    def ok(self) -> bool:
        """True without errors; there may be warnings."""
        return not any(finding.level == "error" for finding in self.findings)


class DatasetReport(Section):
    """All that was found in a data set."""

    dataset: str
    tiles: tuple[TileReport, ...]
    splits: tuple[Finding, ...]
    """What is wrong between tiles, each of which may be right."""

    @property
    def generated(self) -> bool:
        """True for a generated data set."""
        return any(report.generated for report in self.tiles)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, tile by tile, then those between tiles."""
        return tuple(finding for report in self.tiles for finding in report.findings) + self.splits

    @property
    def ok(self) -> bool:
        """True without errors; there may be warnings."""
        return not any(finding.level == "error" for finding in self.findings)
