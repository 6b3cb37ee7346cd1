"""Report: one page on all runs, which opens from disk, and the pictures of tiles beside it."""

from mtlaerial.reporting.report.inputs import ReportInputs
from mtlaerial.reporting.report.tiles.datasets import DatasetMaps, PredictedMaps
from mtlaerial.reporting.report.write import FILES, write_report

__all__ = ["FILES", "DatasetMaps", "PredictedMaps", "ReportInputs", "write_report"]
