"""From the scores of runs to tables: long form, mean and deviation over seeds, and what a paper prints."""

from mtlaerial.tables.collect import CONSTANT, collect, summarise
from mtlaerial.tables.layout import Cell, Document, Panel, build_documents
from mtlaerial.tables.write import write_tables

__all__ = ["CONSTANT", "Cell", "Document", "Panel", "build_documents", "collect", "summarise", "write_tables"]
