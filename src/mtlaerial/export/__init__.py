"""Trained networks as files that other programs run: ONNX and ``torch.export``, with a description beside them."""

from mtlaerial.export.exporting import FORMATS, Format, export_run

__all__ = ["FORMATS", "Format", "export_run"]
