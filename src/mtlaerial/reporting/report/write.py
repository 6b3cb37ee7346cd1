"""Report: one HTML page on all runs that opens from disk, with the whole pictures of tiles in a folder beside it."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from mtlaerial.datasets.check import DatasetReport
from mtlaerial.reporting.report.figures import report_figures
from mtlaerial.reporting.report.inputs import ReportInputs
from mtlaerial.reporting.report.page import render
from mtlaerial.reporting.report.section import ReportSection, report_section
from mtlaerial.reporting.report.sources import LARGEST_PAGE, Sources
from mtlaerial.reporting.report.tiles.datasets import DatasetMaps, draw_tiles, preview_side
from mtlaerial.reporting.report.tiles.pictures import TileSheet
from mtlaerial.reporting.tables import build_documents, collect, mean_over_seeds
from mtlaerial.reporting.tables.left_out import left_out_alike
from mtlaerial.reporting.tables.published import Citations
from mtlaerial.reporting.tables.values import Values
from mtlaerial.scoring.scores import Scores
from mtlaerial.system.files import writable, write_text

FILES = "report_files"
"""Folder of the pictures, beside the page."""
FIRST_TILES = 3
"""Tiles of a data set whose previews come first where the page has no room for all."""
PREVIEW_ROOM = 7_000_000
"""Bytes of the previews of these tiles, by which their size is chosen."""
MARGIN = 1_000
"""Bytes of the sentence on pictures that found no room."""


def write_report(inputs: ReportInputs, path: Path) -> None:
    """Write the report: the page, which needs nothing else, and the folder ``report_files`` beside it.

    Tiles are drawn one after the other, so that memory follows the largest one.

    Parameters
    ----------
    inputs : ReportInputs
    path : Path
        The page to write, of 15 MB at most where its text alone has not more. The same inputs and versions give the
        same bytes, but for the command and for cells of the class ``measured``. The folder beside it is made anew.

    Raises
    ------
    ConfigError, DataError
        See :func:`mtlaerial.reporting.tables.collect`; when a raster cannot be read, or a file not be written.
    """
    folder = path.parent / FILES
    with writable(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    sheets = _draw(inputs, folder)
    sections = _sections(inputs, sheets)
    sources = Sources(path)
    text = render(sections, sources, inputs.command)
    sources.embed(_by_importance(sections), LARGEST_PAGE - len(text.encode("utf-8")) - MARGIN)
    write_text(path, render(sections, sources, inputs.command))


def _draw(inputs: ReportInputs, folder: Path) -> dict[str, list[TileSheet]]:
    """Draw the tiles of all data sets; previews are as large as those of the first tiles may be."""
    first = sum(_first_pictures(maps) for maps in inputs.maps.values())
    side = preview_side(first, PREVIEW_ROOM)
    return {name: list(draw_tiles(maps, folder / name, side)) for name, maps in inputs.maps.items()}


def _first_pictures(maps: DatasetMaps) -> int:
    return min(len(maps.tiles), FIRST_TILES) * maps.pictures_per_tile


def _sections(inputs: ReportInputs, sheets: dict[str, list[TileSheet]]) -> list[ReportSection]:
    published = {name: spec.published for name, spec in inputs.datasets.items()}
    summary = mean_over_seeds(collect(inputs.scores))
    documents = build_documents(
        inputs.scores,
        published,
        summary,
        costs=inputs.costs,
        notes=inputs.notes,
        ablations=inputs.ablations,
        margins=inputs.margins,
        curves=inputs.curves,
        prediction_costs=inputs.prediction_costs,
    )
    transfers = inputs.transfers
    elsewhere = build_documents(transfers.scores, notes=transfers.notes, margins=transfers.margins)
    methods = list(dict.fromkeys(run.method for run in inputs.scores))
    figures = report_figures(inputs.figures, inputs.folds, methods)
    checked = [DatasetReport.model_validate_json(check.read_text(encoding="utf-8")) for check in inputs.checks]
    sections = []
    for name, runs in _by_dataset(inputs.scores).items():
        values = Values(left_out_alike(runs), summary, Citations(published[name]), inputs.notes.get(name, ()))
        sections.append(report_section(values, inputs, documents, elsewhere, figures, checked, sheets.get(name, [])))
    return sections


def _by_dataset(scores: Sequence[Scores]) -> dict[str, list[Scores]]:
    groups: dict[str, list[Scores]] = {}
    for run in scores:
        groups.setdefault(run.dataset, []).append(run)
    return groups


def _by_importance(sections: Sequence[ReportSection]) -> Iterator[Path]:
    """Yield the pictures of the page: first tiles, then figures of data sets, of methods, and the other tiles."""
    for number in range(FIRST_TILES):
        yield from _previews(sections, slice(number, number + 1))
        if number == 0:
            yield from (figure.path for section in sections for figure in section.figures)
    for section in sections:
        yield from (figure.path for figures in section.method_figures.values() for figure in figures)
    yield from _previews(sections, slice(FIRST_TILES, None))


def _previews(sections: Sequence[ReportSection], chosen: slice) -> Iterator[Path]:
    for section in sections:
        yield from (picture.preview for sheet in section.sheets[chosen] for picture in sheet.pictures)
