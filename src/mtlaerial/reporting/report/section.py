"""Section of the report on one data set: everything that the page's template shows of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mtlaerial.config import DatasetSpec
from mtlaerial.datasets.check import DatasetReport, FindingGroup, finding_groups, summary
from mtlaerial.reporting.mixtures import mixtures
from mtlaerial.reporting.report.charts.dataset_charts import Chart, dataset_charts
from mtlaerial.reporting.report.facts.methods_panel import methods_panel
from mtlaerial.reporting.report.facts.settings import Settings, settings_of
from mtlaerial.reporting.report.figures import Figure
from mtlaerial.reporting.report.inputs import ReportInputs
from mtlaerial.reporting.report.tiles.pictures import TileSheet
from mtlaerial.reporting.tables import Document, Panel
from mtlaerial.reporting.tables.values import Values
from mtlaerial.reporting.trainings import TrainingFacts

GROUPS = {
    "": "Scores",
    "by_height": "Heights by true height",
    "height_by_class": "Heights by class",
    "weightings": "Comparisons",
    "uncertainty": "Uncertainty",
    "objects": "Objects",
    "steps": "Steps of the ablations",
    "label_efficiency": "Label efficiency",
}
"""Headings of the tables by the ending of their document."""
EVERY_SCORE = "Every score"
ELSEWHERE = "Runs of other data sets on these tiles"
SHORT = ("main", "weightings", "weightings-single", "uncertainty-uncertainty")
"""Endings of the keys of the tables whose readings are the summary."""


@dataclass(frozen=True)
class DataCheck:
    """Result of the data checks.

    Attributes
    ----------
    warnings, errors : sequence of FindingGroup
    notes : sequence of str
    text : str
        All of it.
    """

    warnings: Sequence[FindingGroup]
    errors: Sequence[FindingGroup]
    notes: Sequence[str]
    text: str


@dataclass(frozen=True)
class ReportSection:
    """The page's section on one data set."""

    name: str
    spec: DatasetSpec
    test_tiles: int
    generation: str
    """Style and noise of generated data, as a phrase; empty if not known."""
    alarms: Sequence[str]
    in_short: Sequence[str]
    tables: Mapping[str, Sequence[Panel]]
    """By heading."""
    charts: Sequence[Chart]
    figures: Sequence[Figure]
    """Of the data set."""
    method_figures: Mapping[str, Sequence[Figure]]
    figure_folders: Sequence[str]
    """Folders with figures of all tiles, one per fold, relative to the page."""
    sheets: Sequence[TileSheet]
    methods: Panel
    settings: Settings
    trainings: TrainingFacts
    versions: Mapping[str, str]
    checks: Sequence[DataCheck]

    @property
    def warned(self) -> str:
        """How much the data checks found, as a sentence; empty where they found nothing."""
        numbers = {
            "fault": sum(len(group.places) for check in self.checks for group in check.errors),
            "warning": sum(len(group.places) for check in self.checks for group in check.warnings),
        }
        parts = [f"{number} {noun}{'' if number == 1 else 's'}" for noun, number in numbers.items() if number]
        return f"The data checks have {' and '.join(parts)}." if parts else ""


def report_section(
    values: Values,
    inputs: ReportInputs,
    documents: Sequence[Document],
    elsewhere: Sequence[Document],
    figures: Sequence[Figure],
    checked: Sequence[DatasetReport],
    sheets: Sequence[TileSheet],
) -> ReportSection:
    """Return the section of a data set.

    Parameters
    ----------
    values : Values
    inputs : ReportInputs
    documents : sequence of Document
        Tables of all data sets.
    elsewhere : sequence of Document
        Tables with runs of other data sets on the test tiles of the tested ones.
    figures : sequence of Figure
        Of all data sets.
    checked : sequence of DatasetReport
        Of all data sets.
    sheets : sequence of TileSheet
        Of this data set.
    """
    name, folds = values.dataset, inputs.folds_of(values.dataset)
    tables = _tables(name, documents)
    if panels := _main_panels(name, elsewhere):
        tables[ELSEWHERE] = panels
    shown = [figure for figure in figures if figure.caption.dataset == name]
    reports = [report for report in checked if report.dataset == name]
    groups = dict.fromkeys(figure.group for figure in shown if figure.group)
    return ReportSection(
        name=name,
        spec=inputs.datasets[name],
        test_tiles=len(values.runs[0].tiles),
        generation=next((report.generation for report in reports), ""),
        alarms=mixtures(values.runs),
        in_short=_in_short(name, tables),
        tables=tables,
        charts=dataset_charts(values),
        figures=[figure for figure in shown if not figure.group],
        method_figures={group: [figure for figure in shown if figure.group == group] for group in groups},
        figure_folders=[f"figures/{folder}" for folder in folds or (name,)],
        sheets=sheets,
        methods=methods_panel(
            values, inputs.described, inputs.costs, inputs.prediction_costs, inputs.hours, bool(folds)
        ),
        settings=settings_of(values),
        trainings=inputs.trainings.get(name, TrainingFacts()),
        versions=_versions(values),
        checks=list(map(_check, reports)),
    )


def _tables(dataset: str, documents: Sequence[Document]) -> dict[str, list[Panel]]:
    groups: dict[str, list[Panel]] = {}
    for document in documents:
        stem = document.stem.removeprefix(dataset).removeprefix("_")
        heading = GROUPS.get(stem, EVERY_SCORE)
        panels = [panel for panel in document.panels if panel.dataset == dataset]
        if panels:
            groups.setdefault(heading, []).extend(panels)
    return groups


def _main_panels(dataset: str, elsewhere: Sequence[Document]) -> list[Panel]:
    """Return the main tables with runs of other data sets, with keys of their own."""
    panels = [panel for document in elsewhere if document.stem == dataset for panel in document.panels]
    return [replace(panel, key=f"{panel.key}-transfer") for panel in panels]


def _in_short(dataset: str, tables: Mapping[str, Sequence[Panel]]) -> list[str]:
    readings = {panel.key: panel.reading for panels in tables.values() for panel in panels}
    chosen = (readings.get(f"{dataset}-{key}", "") for key in SHORT)
    return list(filter(None, chosen))


def _versions(values: Values) -> dict[str, str]:
    """Return versions and hashes of code of the runs, each with the runs that have it where they differ."""
    properties = {
        "mtlaerial": [run.mtlaerial for run in values.runs],
        "Code of the trainings": [run.code for run in values.runs],
        "Code of the scores": [run.scoring_code for run in values.runs if run.scoring_code],
    }
    return {name: " and ".join(dict.fromkeys(found)) for name, found in properties.items() if found}


def _check(report: DatasetReport) -> DataCheck:
    return DataCheck(finding_groups(report, "warning"), finding_groups(report, "error"), report.notes, summary(report))
