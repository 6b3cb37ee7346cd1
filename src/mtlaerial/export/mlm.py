"""Description of a trained network as a STAC Item with the Machine Learning Model extension, version 1.5.1.

STAC 1.1 and https://github.com/stac-extensions/mlm describe a model's inputs, outputs and training in terms that
catalogues search and other programs read.
"""

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import torch

from mtlaerial.config import Task, task_entry
from mtlaerial.config.layers import Colour
from mtlaerial.config.task_entry import Output
from mtlaerial.export.network import INPUT, SMALLEST, Contents
from mtlaerial.runs.imported import NOT_KNOWN
from mtlaerial.runs.run import RunDescription

EXTENSIONS = [f"https://stac-extensions.github.io/{name}/schema.json" for name in ("mlm/v1.5.1", "file/v2.1.0")]
_TASKS: dict[Output, str] = {"classes": "semantic-segmentation", "values": "regression"}
_AXES: dict[Output, str] = {"classes": "class", "values": "channel"}


def stac_item(contents: Contents, asset: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Item of an exported network.

    Place and time of the training images are not recorded in a run: the Item has no geometry, and its interval spans
    all times, since STAC requires one.

    Parameters
    ----------
    contents : Contents
    asset : mapping
        Fields of the file: ``href``, ``type``, ``mlm:artifact_type``, and any others.

    Returns
    -------
    dict
        Plain data for a JSON file.
    """
    statistics = contents.description.statistics
    bands = [{"name": band.name, "data_type": statistics.dtype} for band in statistics.bands]
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": EXTENSIONS,
        "id": _slug(contents.description.name),
        "geometry": None,
        "properties": {
            "title": contents.description.name,
            "description": _description(contents.description),
            "datetime": None,
            "start_datetime": "1900-01-01T00:00:00Z",
            "end_datetime": "9999-12-31T23:59:59Z",
            "gsd": statistics.gsd,
            "bands": bands,
            **_model(contents),
        },
        "links": [],
        "assets": {"model": {**asset, "roles": ["mlm:model", "mlm:compiled"], "bands": bands}},
    }


def _description(run: RunDescription) -> str:
    statistics = run.statistics
    generated = " (generated data)" if statistics.generated else ""
    sentence = f"Trained on {statistics.title}{generated}; licence of the data: {statistics.licence}."
    start = f"Initial weights: {run.start.text}." if run.start else ""
    return " ".join(filter(None, [sentence, statistics.citation, start]))


def _model(contents: Contents) -> dict[str, Any]:
    run = contents.description
    pretrained: dict[str, Any] = {}
    if not run.imported:  # the plan of imported weights does not tell how they were trained
        start = run.plan.model.start
        source = run.start.text if run.start else start and PurePath(start.source).name
        pretrained = {"mlm:pretrained": source is not None, "mlm:pretrained_source": source}
    outputs = [_output(task, contents) for task in contents.tasks]
    return {
        "mlm:name": _slug(run.name),
        "mlm:architecture": run.plan.model.architecture,
        "mlm:tasks": [_TASKS[task_entry(task).output] for task in contents.tasks],
        "mlm:framework": "PyTorch",
        "mlm:framework_version": str(torch.__version__),
        **pretrained,
        "mlm:input": [_input(contents)],
        "mlm:output": outputs,
        "mlm:hyperparameters": _hyperparameters(contents),
    }


def _input(contents: Contents) -> dict[str, Any]:
    statistics = contents.description.statistics
    low, high = statistics.range
    side = f"{contents.tile}" if contents.tile else f"divisible by {contents.multiple}"
    return {
        "name": INPUT,
        "description": f"The file's own values, {low:g} to {high:g}, not scaled: the graph does that. NaN where there "
        f"is no data. Height and width: {side}.",
        "bands": [band.name for band in statistics.bands],
        "input": _array(len(statistics.bands), "bands", contents),
        "value_scaling": None,
        "resize_type": None,
    }


def _output(task: Task, contents: Contents) -> dict[str, Any]:
    entry = task_entry(task)
    meaning = entry.meaning[:1].upper() + entry.meaning[1:]
    output: dict[str, Any] = {
        "name": task,
        "description": f"{meaning}.",
        "tasks": [_TASKS[entry.output]],
        "result": _array(contents.channels[task], _AXES[entry.output], contents),
    }
    if entry.output == "classes":
        output["classification:classes"] = [
            {"value": code, "name": _slug(entry.name), "description": entry.name, "color_hint": _hex(entry.colour)}
            for code, entry in enumerate(contents.description.statistics.classes)
        ]
    return output


def _array(channels: int, axis: str, contents: Contents) -> dict[str, Any]:
    side = contents.tile or -1  # MLM's value for a dynamic size
    return {
        "shape": [-1, channels, side, side],
        "dim_order": ["batch", axis, "height", "width"],
        "data_type": "float32",
    }


def _hyperparameters(contents: Contents) -> dict[str, Any]:
    run = contents.description
    start = run.plan.model.start
    unknown = {"pretrained", "initialisation"} if run.imported else set()
    if start and start.is_path:  # a place of the machine that trained it; mlm:pretrained_source says what it is
        unknown = {"pretrained"}
    parameters: dict[str, Any] = {
        "size_multiple": contents.multiple,
        "smallest_size": contents.tile or SMALLEST * contents.multiple,
        "mtlaerial": run.mtlaerial,
        "code": run.code,
        "model": run.plan.model.model_dump(mode="json", exclude=unknown),
    }
    if run.imported:
        parameters |= {"imported": run.imported, "training": NOT_KNOWN}
        parameters |= {"checkpoint": run.original.checkpoint} if run.original else {}
    else:
        parameters |= {"method": run.plan.method, "seed": run.plan.seed, "epoch": run.epoch}
        parameters |= {key: getattr(run.plan, key).model_dump(mode="json") for key in ("weighting", "training")}
    return parameters


def _slug(name: str) -> str:
    """Return a name with hyphens in place of all but letters and digits."""
    return re.sub(r"[^0-9A-Za-z]+", "-", name).strip("-")


def _hex(colour: Colour) -> str:
    return "".join(f"{value:02X}" for value in colour)
