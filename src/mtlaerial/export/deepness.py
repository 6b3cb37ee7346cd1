"""ONNX metadata for Deepness, a QGIS plugin that runs ONNX files on layers.

Its documentation lists the keys ("Adding metadata to ONNX model"), but its code also reads ``tile_size``,
``standardization_mean`` and ``standardization_std``, which are not listed. Deepness expects one output per file, of a
type named by ``model_type``, and square tiles of a fixed size.
"""

import json
from math import ceil
from typing import Any

from mtlaerial.config import task_entry
from mtlaerial.export.network import Contents

_DIVISOR = 255
"""Divisor that Deepness first applies to the layer's values, whatever their dtype."""


def deepness_metadata(contents: Contents) -> dict[str, str]:
    """Return metadata with which Deepness runs an exported network in the windows by which the run is predicted.

    Parameters
    ----------
    contents : Contents
        Contents with one task, and tiles of fixed size.

    Returns
    -------
    dict of str to str
        JSON values by key. The standardisation undoes Deepness's division by 255: the graph expects the layer's values.
    """
    (task,) = contents.tasks
    statistics, prediction = contents.description.statistics, contents.description.plan.prediction
    bands = len(statistics.bands)
    values: dict[str, Any] = {
        "resolution": 100 * statistics.gsd,  # centimetres
        "tile_size": contents.tile,
        "tiles_overlap": ceil(100 * (1 - prediction.stride / prediction.window)),  # percent
        "standardization_mean": [0.0] * bands,
        "standardization_std": [1 / _DIVISOR] * bands,  # (x / 255 - 0) / (1 / 255) = x
    }
    if task_entry(task).output == "classes":
        names = {str(code): entry.name for code, entry in enumerate(statistics.classes)}
        values |= {"model_type": "Segmentor", "class_names": names, "seg_thresh": 0.0, "seg_small_segment": 0}
    else:
        values |= {"model_type": "Regressor", "class_names": {"0": task}, "reg_output_scaling": 1.0}
    return {key: json.dumps(value) for key, value in values.items()}
