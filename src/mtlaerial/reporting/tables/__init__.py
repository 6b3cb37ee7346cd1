"""Tables of the scores of runs: long form, mean and deviation over seeds, and tables for a publication."""

from mtlaerial.reporting.tables.collect import collect, mean_over_seeds
from mtlaerial.reporting.tables.constant import CONSTANT
from mtlaerial.reporting.tables.costs import Costs
from mtlaerial.reporting.tables.label_efficiency import Curves
from mtlaerial.reporting.tables.layout import build_documents
from mtlaerial.reporting.tables.panels import Cell, Document, Note, Panel
from mtlaerial.reporting.tables.prediction_costs import PredictionCosts
from mtlaerial.reporting.tables.published import Published
from mtlaerial.reporting.tables.steps import Chains
from mtlaerial.reporting.tables.write import write_tables

__all__ = [
    "CONSTANT",
    "Cell",
    "Chains",
    "Costs",
    "Curves",
    "Document",
    "Note",
    "Panel",
    "PredictionCosts",
    "Published",
    "build_documents",
    "collect",
    "mean_over_seeds",
    "write_tables",
]
