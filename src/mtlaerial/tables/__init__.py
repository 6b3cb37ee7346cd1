"""From the scores of runs to tables: long form, mean and deviation over seeds, and what a paper prints."""

from mtlaerial.tables.collect import collect, summarise
from mtlaerial.tables.constant import CONSTANT
from mtlaerial.tables.costs import Costs
from mtlaerial.tables.layout import build_documents
from mtlaerial.tables.panels import Cell, Document, Note, Panel
from mtlaerial.tables.published import Published
from mtlaerial.tables.write import write_tables

__all__ = [
    "CONSTANT",
    "Cell",
    "Costs",
    "Document",
    "Note",
    "Panel",
    "Published",
    "build_documents",
    "collect",
    "summarise",
    "write_tables",
]
