"""Facts that tables and report state of a data set besides its scores: folds, protocol, comparisons and notes."""

from typing import Any

from mtlaerial.config.decisive_keys import decisive
from mtlaerial.config.selection import selection_notes
from mtlaerial.config.stages import Stage
from mtlaerial.pipeline.calibration_notes import calibration_notes
from mtlaerial.pipeline.ensemble_notes import ensemble_notes
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.view_notes import view_notes


def table_facts(stage: Stage, project: Project, dataset: str) -> dict[str, Any]:
    """Return what a stage of the reporting states of a data set, as plain data."""
    spec, run = project.dataset(dataset).spec, project.config.run
    evaluation = {"folds": folds_of(project, dataset), "protocol": spec.protocol}
    chains = [list(chain) for chain in run.steps]
    steps = {"steps": chains} if chains else {}
    curves = run.model_dump(mode="json", include={"label_efficiency"}) if run.label_efficiency else {}
    compared = {"margin": run.comparison.margin, **steps, **curves}
    return {**decisive(stage, spec), **evaluation, **compared, "notes": table_notes(project, dataset)}


def table_notes(project: Project, dataset: str) -> list[str]:
    """Return the sentences for below the tables of a data set."""
    spec = project.dataset(dataset).spec
    notes = selection_notes(project.config, dataset, spec, "this data set")
    notes += ensemble_notes(project, dataset) + view_notes(project, dataset)
    notes += calibration_notes(project, dataset)
    return notes + ([spec.labels.note] if spec.labels and spec.labels.note else [])


def folds_of(project: Project, dataset: str) -> list[str]:
    """Return the folds of a data set; none where its splits are fixed."""
    return [fold for fold, name in project.folds.items() if name == dataset]
