"""The report: one self-contained page with everything that was run, its tables, figures and checks."""

import base64
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

import rasterio
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from mtlaerial import __version__
from mtlaerial.config import DatasetSpec
from mtlaerial.datasets.check import DatasetReport, summary
from mtlaerial.figures import Caption, read_caption
from mtlaerial.reporting.tables import Costs, Panel, build_documents
from mtlaerial.runs.code_hash import code_hash
from mtlaerial.scoring.scores import Scores
from mtlaerial.system.files import writing

LIBRARIES = ("torch", "lightning-fabric", "numpy", "pandas", "rasterio", "pydantic", "matplotlib")
MAPPED = 3
"""Test tiles of a data set whose maps are on the page."""


@dataclass(frozen=True)
class Figure:
    """A picture in the page."""

    caption: Caption
    source: str
    """The picture itself, as a data URI."""


@dataclass(frozen=True)
class Method:
    """A method on a data set."""

    name: str
    tasks: str
    seeds: str


@dataclass(frozen=True)
class Section:
    """All about one data set."""

    name: str
    spec: DatasetSpec
    tiles: int
    mapped: int
    methods: list[Method]
    alarms: list[str]
    panels: list[Panel]
    figures: list[Figure]
    checks: list[str]


def write_report(
    scores: Sequence[Scores],
    datasets: Mapping[str, DatasetSpec],
    figures: Sequence[Path],
    checks: Sequence[Path],
    path: Path,
    costs: Costs | None = None,
) -> None:
    """Write the report as one HTML file that needs nothing else.

    Parameters
    ----------
    scores : sequence of Scores
        One per run, in the order the tables shall have.
    datasets : mapping of name to DatasetSpec
        At least those that were scored.
    figures : sequence of Path
        PNGs written by :mod:`mtlaerial.figures`, in the order of the page; each is shown with its data set. Of maps,
        which are named after their tiles, those of the first ``MAPPED`` test tiles are.
    checks : sequence of Path
        JSON files of the data checks, each a :class:`mtlaerial.datasets.check.DatasetReport`.
    path : Path
        The page to write. The same inputs and versions give the same bytes.
    costs : Costs, optional
        What trainings cost; shown beside the weightings, in cells of the class ``measured``.

    Raises
    ------
    ConfigError, DataError
        See :func:`mtlaerial.reporting.tables.collect`; or when the page cannot be written.
    """
    published = {name: spec.published for name, spec in datasets.items()}
    documents = build_documents(scores, published, costs=costs)
    pictures = [Figure(read_caption(figure), data_uri(figure)) for figure in _shown(figures, scores)]
    reports = [DatasetReport.model_validate_json(check.read_text(encoding="utf-8")) for check in checks]
    sections = [
        Section(
            name=name,
            spec=datasets[name],
            tiles=len(runs[0].tiles),
            mapped=MAPPED,
            methods=_methods(runs),
            alarms=mixtures(runs),
            panels=[panel for document in documents for panel in document.panels if panel.dataset == name],
            figures=[figure for figure in pictures if figure.caption.dataset == name],
            checks=[summary(report) for report in reports if report.dataset == name],
        )
        for name, runs in _by_dataset(scores).items()
    ]
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
    with writing(path) as partial:
        partial.write_bytes(page.encode("utf-8"))


def _shown(figures: Sequence[Path], scores: Sequence[Scores]) -> list[Path]:
    """Leave out the maps of further test tiles: with all of a large data set no browser would open the page."""
    further = {tile for run in scores for tile in list(run.tiles)[MAPPED:]}
    return [figure for figure in figures if figure.stem not in further]


def mixtures(runs: Sequence[Scores]) -> list[str]:
    """Return warnings on runs of one data set that are not directly comparable.

    Parameters
    ----------
    runs : sequence of Scores
        All runs on one data set.

    Returns
    -------
    list of str
        A sentence for each of package version, code, scoring code, test tiles and classes that differs between runs.
    """
    properties: dict[str, Callable[[Scores], str | None]] = {
        "versions of mtlaerial": lambda run: run.mtlaerial,
        # Imported weights come from another stage, whose hash differs from that of trainings.
        "code (hashes of the modules that train)": lambda run: None if run.weighting == "unknown" else run.code,
        "scoring code (hashes of the modules that score)": lambda run: run.scoring_code or None,
        "test tiles": lambda run: ", ".join(run.tiles),
        "classes": lambda run: ", ".join(run.classes),
    }
    warnings = []
    for name, value_of in properties.items():
        run_names: dict[str, list[str]] = {}
        for run in runs:
            if (value := value_of(run)) is not None:
                run_names.setdefault(value, []).append(f"{run.method} seed {run.seed}")
        if len(run_names) > 1:
            groups = "; ".join(f"{key}: {', '.join(names)}" for key, names in sorted(run_names.items()))
            warnings.append(f"The rows mix different {name}. {groups}")
    return warnings


def data_uri(figure: Path) -> str:
    """Return a PNG as a data URI, recompressed to WebP: a page with a hundred maps should still open."""
    buffer = BytesIO()
    with Image.open(figure) as image:
        image.convert("RGB").save(buffer, format="WEBP", quality=88, method=4)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def _by_dataset(scores: Sequence[Scores]) -> dict[str, list[Scores]]:
    return {name: [run for run in scores if run.dataset == name] for name in dict.fromkeys(s.dataset for s in scores)}


def _methods(runs: Sequence[Scores]) -> list[Method]:
    methods = {}
    for name in dict.fromkeys(run.method for run in runs):
        own = [run for run in runs if run.method == name]
        methods[name] = Method(name, " and ".join(own[0].tasks), ", ".join(str(run.seed) for run in own))
    return list(methods.values())


def _software() -> dict[str, str]:
    found = {"mtlaerial": __version__, "Python": platform.python_version(), "GDAL": rasterio.__gdal_version__}
    return found | {name: version(name) for name in LIBRARIES}
