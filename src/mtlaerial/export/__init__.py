"""Export of trained networks for other programs: ONNX and ``torch.export``, with a description beside the file."""

from mtlaerial.export.exporting import FORMATS, Format, export_run

__all__ = ["FORMATS", "Format", "export_run"]
