"""Data checks: all faults of a data set in one pass over its files."""

from collections.abc import Sequence

from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check.buffer import buffer_notes
from mtlaerial.datasets.check.classes import check_classes
from mtlaerial.datasets.check.eroded import check_eroded
from mtlaerial.datasets.check.findings import Finding, Findings
from mtlaerial.datasets.check.height import check_height
from mtlaerial.datasets.check.image import check_image
from mtlaerial.datasets.check.labels import check_labels
from mtlaerial.datasets.check.parts import present
from mtlaerial.datasets.check.report import DatasetReport, HeightFacts, ImageFacts, LabelsFacts, TileReport
from mtlaerial.datasets.check.splits import check_splits, footprints
from mtlaerial.datasets.check.summary import FindingGroup, finding_groups, summary, warnings_text
from mtlaerial.datasets.generation_note import generation_described
from mtlaerial.system.progress import track

__all__ = [
    "DatasetReport",
    "Finding",
    "FindingGroup",
    "HeightFacts",
    "ImageFacts",
    "LabelsFacts",
    "TileReport",
    "assemble",
    "check_dataset",
    "check_splits",
    "check_tile",
    "finding_groups",
    "summary",
    "warnings_text",
]


def check_tile(dataset: Dataset, tile: str) -> TileReport:
    """Check all files of a tile and report all faults, not only the first.

    All pixels are read, in blocks of rows; of a mosaic, those of the tile.

    Parameters
    ----------
    dataset : Dataset
        The specification and the folder of the files.
    tile : str
        The tile's name.
    """
    findings = Findings()
    facts, place = None, None
    if present(dataset, "image", tile, findings):  # first, as the other layers are compared with its place
        facts, place = check_image(dataset, tile, findings)
    height = check_height(dataset, tile, place, findings)
    labels = check_labels(dataset, tile, place, findings)
    eroded = check_labels(dataset, tile, place, findings, "eroded")
    return TileReport(
        dataset=dataset.name,
        tile=tile,
        split=dataset.split_of(tile),
        area=dataset.spec.area_of(tile),
        generated=dataset.spec.generated,
        generation=generation_described(dataset.root),
        findings=tuple(findings.items),
        image=facts,
        height=height,
        labels=labels,
        eroded=eroded,
    )


def check_dataset(dataset: Dataset) -> DatasetReport:
    """Check all tiles of a data set, then its splits."""
    tiles = dataset.spec.tiles
    reports = [check_tile(dataset, tile) for tile in track(tiles, len(tiles), "checking", "tile")]
    return assemble(reports, dataset.spec.buffer)


def assemble(reports: Sequence[TileReport], buffer: float = 0.0) -> DatasetReport:
    """Join the reports of a data set's tiles, one or more, and check splits, classes and eroded labels.

    Parameters
    ----------
    reports : sequence of TileReport
    buffer : float
        Metres around tiles held out whose truth is not trained on.
    """
    notes = buffer_notes(footprints(reports), buffer) if buffer else []
    between = (*check_splits(reports, buffer), *check_classes(reports), *check_eroded(reports))
    return DatasetReport(dataset=reports[0].dataset, tiles=tuple(reports), splits=between, notes=tuple(notes))
