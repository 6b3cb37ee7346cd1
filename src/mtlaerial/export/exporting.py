"""Export of a run: the network's file, and its description beside it."""

import hashlib
import json
import logging
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from mtlaerial.config import Task
from mtlaerial.config.require import require_multiple
from mtlaerial.errors import ConfigError
from mtlaerial.export.deepness import deepness_metadata
from mtlaerial.export.formats import save_onnx, save_pt2
from mtlaerial.export.mlm import stac_item
from mtlaerial.export.network import Contents, ExportedNetwork, traced
from mtlaerial.runs.loading import load_run
from mtlaerial.runs.run import RunDescription, read_description
from mtlaerial.system.files import require_place, writing

log = logging.getLogger(__name__)
Format = Literal["onnx", "pt2"]
FORMATS: tuple[Format, ...] = get_args(Format)
_ALONE = (
    "the network has a context, and the exported one sees no further than the image that it is given: as at the edge "
    "of a raster, nothing around it is known. Give it large images, or use mtlaerial predict."
)
_UNTRACEABLE = ("timm/swin_", "timm/swinv2_")
"""Encoders whose padding to whole windows torch's exporter does not come to an end with for images of any size."""
_ARTIFACTS: dict[Format, tuple[str, str]] = {
    "onnx": ("application/octet-stream; framework=onnx", "onnx"),
    "pt2": ("application/octet-stream; framework=pytorch", "torch.export.save"),
}
"""Media type and ``mlm:artifact_type`` of each format."""


def export_run(run: Path, format: Format = "onnx", out: Path | None = None, task: Task | None = None) -> Path:
    """Write a trained run's network as a file, and its description as ``FILE.json``; existing files are replaced.

    Parameters
    ----------
    run : Path
        The run's folder.
    format : Format
        ``onnx``, or ``pt2`` for ``torch.export.load``.
    out : Path, optional
        The file; by default ``model.FORMAT`` in the run's folder, or ``TASK.FORMAT``.
    task : Task, optional
        The only output; by default there is one for each of the run's tasks. ONNX files with a task have square
        images of a fixed size and metadata, as required by the QGIS plugin Deepness.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ConfigError, DataError
        When packages, weights or the task are missing, the network cannot be traced, or the file cannot be written.
    """
    path = out or run / f"{task or 'model'}.{format}"
    _require_writable(format, path)
    description = read_description(run)
    if description.plan.model.context_scale:
        log.warning("%s", _ALONE)
    tile = _tile(description) if format == "onnx" and task else None
    contents = Contents(description, _outputs(description, task), tile)
    _require_traceable(contents)
    program = traced(ExportedNetwork(load_run(run, torch.device("cpu")), contents), contents)
    item = stac_item(contents, _asset(path, format))
    # Nested, so that a failure within leaves neither file.
    with writing(path.with_name(f"{path.name}.json")) as sidecar, writing(path) as partial:
        if format == "onnx":
            deepness = deepness_metadata(contents) if task else {}
            save_onnx(program, partial, contents, {**_metadata(item, contents), **deepness})
        else:
            save_pt2(program, partial, _metadata(item, contents))
        # After the file is written, which has the item itself: its checksum can stand beside it only.
        item["assets"]["model"] |= _size_and_checksum(partial)
        sidecar.write_text(json.dumps(item, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def _require_writable(format: Format, path: Path) -> None:
    """Require the packages of a format, a file name with its suffix, and a place to write to."""
    absent = [name for name in ("onnx", "onnxscript") if format == "onnx" and find_spec(name) is None]
    if absent:
        remedy = "Install them with: pip install 'mtlaerial[export]'"
        raise ConfigError("--format onnx", f"no package {' or '.join(absent)}", "the packages that write ONNX", remedy)
    if path.suffix != f".{format}":
        raise ConfigError("--out", path.name, f"a name that ends in .{format}", "Correct it, or --format.")
    require_place(path)


def _require_traceable(contents: Contents) -> None:
    """Refuse networks that torch would trace without an end."""
    encoder = contents.description.plan.model.encoder_name or ""
    if contents.tile is None and encoder.startswith(_UNTRACEABLE):
        observed = f"the encoder {encoder}, which torch's exporter does not finish for images of any size"
        expected = "another encoder, such as swin_v2_t of mtlaerial, or a file for images of one size"
        remedy = "Export a file per task: --format onnx --task TASK."
        raise ConfigError("plan.model.encoder of the run", observed, expected, remedy)


def _tile(run: RunDescription) -> int:
    """Return the side of the windows by which a run is predicted."""
    size = run.plan.prediction.window
    require_multiple("plan.prediction.window of the run", size, run.plan.model)
    return size


def _outputs(run: RunDescription, task: Task | None) -> tuple[Task, ...]:
    if task is None:
        return run.plan.tasks
    if task not in run.plan.tasks:
        raise ConfigError("--task", task, f"a task of the run: {', '.join(run.plan.tasks)}", "Choose one, or leave it.")
    return (task,)


def _metadata(item: Mapping[str, Any], contents: Contents) -> dict[str, str]:
    return {"stac_item": json.dumps(item, ensure_ascii=False), "size_multiple": str(contents.multiple)}


def _asset(path: Path, format: Format) -> dict[str, Any]:
    media_type, artifact = _ARTIFACTS[format]
    return {"href": f"./{path.name}", "type": media_type, "mlm:artifact_type": artifact}


def _size_and_checksum(path: Path) -> dict[str, Any]:
    """Return size and checksum as fields of STAC's file extension, whose checksums are multihashes."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    # Multihash prefix: 0x12 for SHA-256, 0x20 for its 32 bytes.
    return {"file:size": path.stat().st_size, "file:checksum": f"1220{digest.hexdigest()}"}
