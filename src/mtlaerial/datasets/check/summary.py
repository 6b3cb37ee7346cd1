"""A report as text: the tiles, then what was found, most serious first."""

from collections.abc import Iterator, Sequence

from mtlaerial.datasets.check.findings import Finding, Level
from mtlaerial.datasets.check.report import DatasetReport, Size, TileReport

_PLACES = 5
"""Files that are listed for one fault."""
_HEADER = ("tile", "split", "size", "GSD (m)", "no height", "heights (m)", "no class", "errors", "warnings")


def summary(report: DatasetReport) -> str:
    """Write a report as plain text: a table of tiles, findings grouped by what to do, and their numbers."""
    title = f"Data set {report.dataset}" + (" (generated data)" if report.generated else "")
    lines = [title, "", *_table([_HEADER, *map(_row, report.tiles)])]
    levels: tuple[Level, ...] = ("error", "warning")
    for level in levels:
        lines += _section(report, level)
    counts = [sum(finding.level == level for finding in report.findings) for level in levels]
    tiles, errors, warnings = _number(len(report.tiles), "tile"), *map(_number, counts, levels)
    return "\n".join([*lines, "", f"{tiles}, {errors}, {warnings}."])


def _number(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def _row(report: TileReport) -> tuple[str, ...]:
    image, height, labels = report.image, report.height, report.labels
    return (
        report.tile,
        report.split,
        _size(image.size if image else None),
        f"{image.gsd:.4g}" if image and image.gsd else "-",
        _share(height.nodata if height else None),
        f"{height.minimum:.1f} to {height.maximum:.1f}" if height and height.minimum is not None else "-",
        _share(labels.nodata if labels else None),
        *(str(sum(finding.level == level for finding in report.findings) or "-") for level in ("error", "warning")),
    )


def _size(size: Size | None) -> str:
    return f"{size[0]} x {size[1]}" if size else "-"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align columns: names to the left, the rest to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if index < 2 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _section(report: DatasetReport, level: Level) -> Iterator[str]:
    """Group the findings of a level by what was expected and what to do."""
    groups: dict[tuple[str, str], list[str]] = {}
    for tile, finding in _placed(report):
        if finding.level == level:
            place = f"{tile}{finding.where}: {finding.found}"
            groups.setdefault((finding.expected, finding.remedy), []).append(place)
    if groups:
        yield from ("", f"{level.capitalize()}s")
    for (expected, remedy), places in groups.items():
        yield f"- expected {expected}. {remedy}"
        yield from (f"    {place}" for place in places[:_PLACES])
        if len(places) > _PLACES:
            yield f"    and {len(places) - _PLACES} more"


def _placed(report: DatasetReport) -> Iterator[tuple[str, Finding]]:
    for tile in report.tiles:
        yield from ((f"{tile.tile}: ", finding) for finding in tile.findings)
    yield from (("", finding) for finding in report.splits)
