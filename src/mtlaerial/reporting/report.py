"""Report: one self-contained HTML page with the tables, figures and data checks of all runs."""

import base64
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

import rasterio
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from mtlaerial.config import DatasetSpec
from mtlaerial.datasets.check import DatasetReport, summary
from mtlaerial.figures import Caption, read_caption
from mtlaerial.reporting.mixtures import mixtures
from mtlaerial.reporting.tables import Chains, Costs, Curves, Panel, PredictionCosts, build_documents
from mtlaerial.reporting.trainings import TrainingFacts
from mtlaerial.runs.code_hash import code_hash
from mtlaerial.scoring.scores import Scores
from mtlaerial.system.files import write_text
from mtlaerial.version import __version__

LIBRARIES = ("torch", "lightning-fabric", "numpy", "pandas", "rasterio", "pydantic", "matplotlib")
MAPPED = 3
"""Test tiles per data set with their maps on the page."""


@dataclass(frozen=True)
class Figure:
    """An image on the page."""

    caption: Caption
    source: str
    """The image as a data URI."""


@dataclass(frozen=True)
class Method:
    """A method on a data set: a row of the list of methods."""

    name: str
    tasks: str
    seeds: str


@dataclass(frozen=True)
class Section:
    """The page's section on one data set."""

    name: str
    spec: DatasetSpec
    tiles: int
    mapped: int
    methods: list[Method]
    trainings: TrainingFacts
    alarms: list[str]
    panels: list[Panel]
    figures: list[Figure]
    figure_folders: list[str]
    """Folders with the figures of all tiles, one per fold, relative to the page."""
    checks: list[str]
    generation: str
    """Style and noise of generated data, as a phrase; empty if not known."""


def write_report(
    scores: Sequence[Scores],
    datasets: Mapping[str, DatasetSpec],
    figures: Sequence[Path],
    checks: Sequence[Path],
    path: Path,
    costs: Costs | None = None,
    notes: Mapping[str, Sequence[str]] | None = None,
    folds: Mapping[str, str] | None = None,
    trainings: Mapping[str, TrainingFacts] | None = None,
    ablations: Mapping[str, Chains] | None = None,
    margins: Mapping[str, float] | None = None,
    curves: Curves | None = None,
    prediction_costs: PredictionCosts | None = None,
) -> None:
    """Write the report as one HTML file that needs nothing else.

    Parameters
    ----------
    scores : sequence of Scores
        One per run, in the order of the tables.
    datasets : mapping of name to DatasetSpec
        Specifications of at least the scored data sets.
    figures : sequence of Path
        PNGs written by :mod:`mtlaerial.figures`, in the order of the page; each is shown with its data set. Those in a
        folder ``maps`` are named after their tiles, and shown for the first ``MAPPED`` test tiles only.
    checks : sequence of Path
        JSON files of the data checks, each a :class:`mtlaerial.datasets.check.DatasetReport`.
    path : Path
        The page to write. The same inputs and versions give the same bytes.
    costs : Costs, optional
        Costs of the trainings, shown beside the weightings, in cells of the class ``measured``.
    notes : mapping of data set to sequence of str, optional
        Sentences on methods and runs, for below the tables.
    folds : mapping of fold to data set, optional
        Figures of folds are shown with their data set, and named after the fold.
    trainings : mapping of data set to TrainingFacts, optional
        Initial weights, budgets and ensembles; training times are in cells of the class ``measured``.
    ablations : mapping of data set to sequence of sequence of str, optional
        Methods in the order of their steps, for each ablation.
    margins : mapping of data set to float, optional
        Effects that do not matter in the comparisons (``run.comparison.margin``).
    curves : mapping of task to LabelEfficiency, optional
        Methods with different shares of a task's truth.
    prediction_costs : PredictionCosts, optional
        Costs of the predictions, shown beside the uncertainties in cells of the class ``measured``.

    Raises
    ------
    ConfigError, DataError
        See :func:`mtlaerial.reporting.tables.collect`; or when the page cannot be written.
    """
    published = {name: spec.published for name, spec in datasets.items()}
    documents = build_documents(
        scores,
        published,
        costs=costs,
        notes=notes,
        ablations=ablations,
        margins=margins,
        curves=curves,
        prediction_costs=prediction_costs,
    )
    panels = [panel for document in documents for panel in document.panels]
    of_folds = folds or {}
    images = _figures(figures, scores, of_folds)
    reports = [DatasetReport.model_validate_json(check.read_text(encoding="utf-8")) for check in checks]
    sections = []
    for name, runs in _by_dataset(scores).items():
        folds_of_it = [fold for fold in of_folds if of_folds[fold] == name]
        facts = (trainings or {}).get(name, TrainingFacts())
        sections.append(_section(datasets[name], runs, panels, images, reports, folds_of_it, facts))
    environment = Environment(
        loader=PackageLoader("mtlaerial.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html").render(
        sections=sections, software=_software(), code=code_hash("report")
    )
    write_text(path, page)


def _figures(paths: Sequence[Path], scores: Sequence[Scores], folds: Mapping[str, str]) -> list[Figure]:
    """Return the figures without maps of further test tiles: no browser would open a page with hundreds of maps."""
    further = {(run.dataset, tile) for run in scores for tile in list(run.tiles)[MAPPED:]}
    figures = []
    for path in paths:
        caption = _caption(path, folds)
        if path.parent.name != "maps" or (caption.dataset, path.stem) not in further:
            figures.append(Figure(caption, data_uri(path)))
    return figures


def _caption(path: Path, folds: Mapping[str, str]) -> Caption:
    """Return the caption of a figure; of one of a fold with its data set and the fold's name."""
    caption = read_caption(path)
    if caption.dataset not in folds:
        return caption
    text = f"{caption.dataset}: {caption.description}"
    return caption.model_copy(update={"dataset": folds[caption.dataset], "description": text})


def _section(
    spec: DatasetSpec,
    runs: list[Scores],
    panels: list[Panel],
    images: list[Figure],
    reports: list[DatasetReport],
    folds: Sequence[str],
    facts: TrainingFacts,
) -> Section:
    name = runs[0].dataset
    section_panels = [panel for panel in panels if panel.dataset == name]
    figures = [image for image in images if image.caption.dataset == name]
    checked = [report for report in reports if report.dataset == name]
    checks = [summary(report) for report in checked]
    generation = next((report.generation for report in checked), "")
    tiles, methods, alarms = len(runs[0].tiles), _methods(runs), mixtures(runs)
    folders = [f"figures/{folder}" for folder in folds or (name,)]
    return Section(
        name, spec, tiles, MAPPED, methods, facts, alarms, section_panels, figures, folders, checks, generation
    )


def data_uri(figure: Path) -> str:
    """Return a PNG as a data URI, recompressed to WebP, so that a page with a hundred maps still opens."""
    buffer = BytesIO()
    with Image.open(figure) as image:
        image.convert("RGB").save(buffer, format="WEBP", quality=88, method=4)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def _by_dataset(scores: Sequence[Scores]) -> dict[str, list[Scores]]:
    groups: dict[str, list[Scores]] = {}
    for run in scores:
        groups.setdefault(run.dataset, []).append(run)
    return groups


def _methods(runs: Sequence[Scores]) -> list[Method]:
    groups: dict[str, list[Scores]] = {}
    for run in runs:
        groups.setdefault(run.method, []).append(run)
    return [Method(name, " and ".join(group[0].tasks), _seeds(group)) for name, group in groups.items()]


def _seeds(runs: Sequence[Scores]) -> str:
    return ", ".join(str(run.seed) for run in runs)


def _software() -> dict[str, str]:
    base = {"mtlaerial": __version__, "Python": platform.python_version(), "GDAL": rasterio.__gdal_version__}
    return base | {name: version(name) for name in LIBRARIES}
