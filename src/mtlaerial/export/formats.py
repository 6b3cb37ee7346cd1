"""File formats of exported graphs: ONNX, and PyTorch's PT2."""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.export import ExportedProgram

from mtlaerial.export.network import INPUT, Contents

AXES = {0: "batch", 2: "height", 3: "width"}
"""Names of the dynamic axes of ONNX inputs and outputs."""


def save_onnx(program: ExportedProgram, path: Path, contents: Contents, metadata: Mapping[str, str]) -> None:
    """Write an ONNX file with the weights inside, and outputs named by task.

    Parameters
    ----------
    program : ExportedProgram
    path : Path
    contents : Contents
        Contents of the program.
    metadata : mapping of str to str
        The file's ``metadata_props``.
    """
    model = onnx_model(program, contents.tasks)
    _clean_graph(model.graph)
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())


def onnx_model(program: ExportedProgram, outputs: Sequence[str]) -> Any:
    """Return a program as an ``onnx.ModelProto``, whose input is called image, with named outputs."""
    with _silenced():
        exported = torch.onnx.export(
            program, dynamo=True, verbose=False, input_names=[INPUT], output_names=list(outputs)
        )
    assert exported is not None
    return exported.model_proto


def save_pt2(program: ExportedProgram, path: Path, metadata: Mapping[str, str]) -> None:
    """Write a file for ``torch.export.load``, with metadata as its ``extra_files``."""
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of the exporting machine
    # A file object: for a path, the archive's root folder has the file's name, here a temporary one.
    with _silenced(), path.open("wb") as file:
        torch.export.save(program, file, extra_files=dict(metadata))


def _clean_graph(graph: Any) -> None:
    """Name the dynamic axes, and remove the exporter's metadata: names and lines of this package's code."""
    del graph.value_info[:]
    for part in (*graph.node, *graph.input, *graph.output):
        del part.metadata_props[:]
    for value in (*graph.input, *graph.output):
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if dimension.dim_param:
                dimension.dim_param = AXES[axis]


@contextmanager
def _silenced() -> Iterator[None]:
    """Silence the exporters' logs and warnings, on packages that are not needed and on their own deprecations."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
