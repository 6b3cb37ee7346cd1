"""Plain-text summary of a data check: a table of tiles, then the findings, errors first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mtlaerial.datasets.check.classes import class_pixels, labelled_splits
from mtlaerial.datasets.check.findings import Finding, Level
from mtlaerial.datasets.check.report import DatasetReport, TileReport

_PLACES = 5
"""Largest number of places that are listed for one fault."""
_LEVELS: tuple[Level, ...] = ("error", "warning")
_HEADER = (
    "tile", "split or area", "rows x columns", "GSD (m)", "no image", "no height", "heights (m)", "no class",
    "errors", "warnings",
)  # fmt: skip


@dataclass(frozen=True)
class FindingGroup:
    """Findings with the same expectation and remedy."""

    expected: str
    remedy: str
    places: Sequence[str]
    """File and content of each finding, with its tile."""

    @property
    def shown(self) -> Sequence[str]:
        """The places that are listed."""
        return self.places[:_PLACES]

    @property
    def more(self) -> int:
        """Number of places that are not."""
        return max(0, len(self.places) - _PLACES)


def summary(report: DatasetReport) -> str:
    """Format a report as plain text: tables of tiles and classes, findings grouped by remedy, and their numbers."""
    lines = [_title(report), "", *_table([_HEADER, *map(_row, report.tiles)], names=2), *_class_table(report)]
    lines += ["", *report.notes] if report.notes else []
    numbers = [_number(len(report.tiles), "tile")]
    for level in _LEVELS:
        lines += _section(report, level)
        numbers.append(_number(_count(report.findings, level), level))
    return "\n".join([*lines, "", f"{', '.join(numbers)}."])


def _title(report: DatasetReport) -> str:
    """Return the heading; of generated data with their style and noise."""
    generated = f"generated data: {report.generation}" if report.generation else "generated data"
    return f"Data set {report.dataset}" + (f" ({generated})" if report.generated else "")


def warnings_text(report: DatasetReport) -> str:
    """Format the warnings of a report as in its summary; empty without any."""
    return "\n".join(_section(report, "warning")).strip()


def _count(findings: Sequence[Finding], level: Level) -> int:
    return sum(finding.level == level for finding in findings)


def _number(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def _row(report: TileReport) -> tuple[str, ...]:
    """Return the cells of a tile's row; see ``_HEADER``."""
    image, height, labels = report.image, report.height, report.labels
    size = gsd = no_image = no_height = heights = no_class = "-"
    if image:
        size = f"{image.size[0]} x {image.size[1]}"
    if image and image.gsd:
        gsd = f"{image.gsd:.4g}"
    if image and image.nodata is not None:
        no_image = _share(image.nodata)
    if height and height.nodata is not None:
        no_height = _share(height.nodata)
    if height and height.minimum is not None:
        heights = f"{height.minimum:.1f} to {height.maximum:.1f}"
    if labels and labels.nodata is not None:
        no_class = _share(labels.nodata)
    counts = (str(_count(report.findings, level) or "-") for level in _LEVELS)
    return report.tile, report.group, size, gsd, no_image, no_height, heights, no_class, *counts


def _class_table(report: DatasetReport) -> Iterator[str]:
    """Yield the lines of a table of pixels by class and split; none without labels."""
    pixels = class_pixels(report.tiles)
    splits = labelled_splits(pixels)
    if splits:
        rows = [(name, *(f"{counts.get(split, 0):,}" for split in splits)) for name, counts in pixels.items()]
        yield from ("", *_table([("class", *(f"{split} pixels" for split in splits)), *rows], names=1))


def _share(share: float) -> str:
    return f"{100 * share:.1f} %"


def _table(rows: Sequence[Sequence[str]], names: int) -> Iterator[str]:
    """Align columns: those of names, which come first, to the left, all others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        padded[:names] = [cell.ljust(width) for cell, width in zip(row[:names], widths[:names], strict=True)]
        yield "  ".join(padded).rstrip()


def finding_groups(report: DatasetReport, level: Level) -> list[FindingGroup]:
    """Return the findings of one level, those with the same expectation and remedy together."""
    groups: dict[tuple[str, str], list[tuple[str, Finding]]] = {}
    for tile, finding in _findings_with_tiles(report):
        if finding.level == level:
            groups.setdefault((finding.expected, _for_any_file(finding)), []).append((tile, finding))
    return [
        FindingGroup(
            expected,
            places[0][1].remedy if len(places) == 1 else remedy,
            [f"{tile}{finding.where}: {finding.found}" for tile, finding in places],
        )
        for (expected, remedy), places in groups.items()
    ]


def _section(report: DatasetReport, level: Level) -> Iterator[str]:
    """Yield the lines of one level."""
    groups = finding_groups(report, level)
    if groups:
        yield from ("", f"{level.capitalize()}s")
    for group in groups:
        yield f"- expected {group.expected}. {group.remedy}"
        yield from (f"    {place}" for place in group.shown)
        if group.more:
            yield f"    and {group.more} more"


def _for_any_file(finding: Finding) -> str:
    """Return a remedy with FILE for the file at fault in its commands, so that findings of many files are grouped."""
    file = Path(finding.where)
    return finding.remedy.replace(str(file.with_suffix("")), "FILE") if file.suffix else finding.remedy


def _findings_with_tiles(report: DatasetReport) -> Iterator[tuple[str, Finding]]:
    """Yield each finding with its tile's name as a prefix of the place."""
    for tile in report.tiles:
        yield from ((f"{tile.tile}: ", finding) for finding in tile.findings)
    yield from (("", finding) for finding in report.splits)
