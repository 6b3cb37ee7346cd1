"""Inputs of a report: scores and what is known of the runs, and the files that its pictures come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mtlaerial.config import DatasetSpec
from mtlaerial.reporting.folds import RunKey
from mtlaerial.reporting.report.tiles.datasets import DatasetMaps
from mtlaerial.reporting.tables import Chains, Costs, Curves, PredictionCosts
from mtlaerial.reporting.trainings import TrainingFacts
from mtlaerial.reporting.transfers import Transfers
from mtlaerial.runs.run import RunDescription
from mtlaerial.scoring.scores import Scores


@dataclass(frozen=True)
class ReportInputs:
    """Everything that a report is made of; all but scores and specifications may be absent.

    Attributes
    ----------
    scores : sequence of Scores
        One per run, in the order of the tables; folds are pooled.
    datasets : mapping of name to DatasetSpec
        Specifications of at least the scored data sets.
    figures : sequence of Path
        PNGs written by :mod:`mtlaerial.figures`, in the order of the page, in a folder of their method or data set.
    checks : sequence of Path
        JSON files of the data checks, each a :class:`mtlaerial.datasets.check.DatasetReport`.
    maps : mapping of data set to DatasetMaps
        Test tiles and predicted maps.
    described : mapping of data set, method and seed to RunDescription
        Descriptions of the runs that are here; of folds one of them.
    costs, prediction_costs : mapping of data set, method and seed to cost
        They differ from run to run, and are in cells of the class ``measured``.
    hours : mapping of data set, method and seed to sequence of float
        Of each training, of folds several; measured too.
    notes : mapping of data set to sequence of str
        Sentences on methods and runs, for below the tables.
    folds : mapping of fold to data set
        Figures of folds are shown with their data set, and named after the fold.
    trainings : mapping of data set to TrainingFacts
        Initial weights, budgets and ensembles.
    ablations : mapping of data set to sequence of sequence of str
        Methods in the order of their steps, for each ablation.
    margins : mapping of data set to float
        Effects that do not matter in the comparisons (``run.comparison.margin``).
    curves : mapping of task to LabelEfficiency
        Methods with different shares of a task's truth.
    transfers : Transfers
        Runs of other data sets on the test tiles of these.
    command : str
        The command that the report was made by.
    """

    scores: Sequence[Scores]
    datasets: Mapping[str, DatasetSpec]
    figures: Sequence[Path] = ()
    checks: Sequence[Path] = ()
    maps: Mapping[str, DatasetMaps] = field(default_factory=dict)
    described: Mapping[RunKey, RunDescription] = field(default_factory=dict)
    costs: Costs = field(default_factory=dict)
    prediction_costs: PredictionCosts = field(default_factory=dict)
    hours: Mapping[RunKey, Sequence[float]] = field(default_factory=dict)
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    folds: Mapping[str, str] = field(default_factory=dict)
    trainings: Mapping[str, TrainingFacts] = field(default_factory=dict)
    ablations: Mapping[str, Chains] = field(default_factory=dict)
    margins: Mapping[str, float] = field(default_factory=dict)
    curves: Curves | None = None
    transfers: Transfers = field(default_factory=Transfers)
    command: str = ""

    def folds_of(self, dataset: str) -> list[str]:
        """Return the folds of a data set; none of one with fixed splits."""
        return [fold for fold, name in self.folds.items() if name == dataset]
