"""An exported graph as a file: ONNX, or PyTorch's own."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.export import ExportedProgram

from mtlaerial.export.network import INPUT, Contents

AXES = {0: "batch", 2: "height", 3: "width"}
"""Names of the ONNX inputs' and outputs' axes that have no fixed size."""


def save_onnx(program: ExportedProgram, path: Path, contents: Contents, metadata: Mapping[str, str]) -> None:
    """Write an ONNX file, weights within it, its outputs named by task.

    Parameters
    ----------
    program : ExportedProgram
    path : Path
    contents : Contents
        Of the program.
    metadata : mapping of str to str
        The file's ``metadata_props``.
    """
    with _quiet():
        exported = torch.onnx.export(
            program, dynamo=True, verbose=False, input_names=[INPUT], output_names=list(contents.tasks)
        )
    assert exported is not None
    model = exported.model_proto
    _tidy(model.graph)
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())


def save_pt2(program: ExportedProgram, path: Path, metadata: Mapping[str, str]) -> None:
    """Write a file that ``torch.export.load`` reads, with metadata as its ``extra_files``."""
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names files of the machine that exported
    with _quiet(), path.open("wb") as file:
        torch.export.save(program, file, extra_files=dict(metadata))


def _tidy(graph: Any) -> None:
    """Name the axes, and take away how the graph was made: names and lines of this package's code."""
    del graph.value_info[:]
    for part in (*graph.node, *graph.input, *graph.output):
        del part.metadata_props[:]
    for value in (*graph.input, *graph.output):
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if dimension.dim_param:
                dimension.dim_param = AXES[axis]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the exporters say of packages that are not needed and of their own deprecations from the user."""
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
