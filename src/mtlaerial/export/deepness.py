"""What Deepness, a plugin of QGIS that runs ONNX files on layers, reads from a file's metadata.

Its documentation lists the keys ("Adding metadata to ONNX model"); where that and its code differ, the code holds: it
reads ``tile_size``, and ``standardization_mean`` and ``standardization_std``, which are not listed. Deepness takes one
output per file, of the kinds that ``model_type`` names, and square tiles of a fixed size.
"""

import json
from math import ceil
from typing import Any

from mtlaerial.config import PredictionSpec
from mtlaerial.export.network import Contents

_DIVISOR = 255
"""Deepness divides the layer's values by this first, whatever their dtype."""


def deepness_metadata(contents: Contents, prediction: PredictionSpec) -> dict[str, str]:
    """Return metadata with which Deepness hands an exported network a layer's own values, in tiles as we would.

    Parameters
    ----------
    contents : Contents
        With one task, and tiles of fixed size.
    prediction : PredictionSpec
        Windows and strides that suit the run.

    Returns
    -------
    dict of str to str
        JSON values by key. The standardisation undoes Deepness's division by 255, since the graph normalises by itself.
    """
    (task,) = contents.tasks
    statistics = contents.description.statistics
    bands = len(statistics.bands)
    values: dict[str, Any] = {
        "resolution": 100 * statistics.gsd,
        "tile_size": contents.tile,
        "tiles_overlap": ceil(100 * (1 - prediction.stride / prediction.window)),
        "standardization_mean": [0.0] * bands,
        "standardization_std": [1 / _DIVISOR] * bands,
    }
    if task == "semantics":
        names = {str(code): entry.name for code, entry in enumerate(statistics.classes)}
        values |= {"model_type": "Segmentor", "class_names": names, "seg_thresh": 0.0, "seg_small_segment": 0}
    else:
        values |= {"model_type": "Regressor", "class_names": {"0": "height"}, "reg_output_scaling": 1.0}
    return {key: json.dumps(value) for key, value in values.items()}
