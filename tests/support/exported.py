"""Exported networks: sessions, images, and outputs that are alike."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from mtlaerial.config import PredictionSpec, task_entry
from mtlaerial.prediction.class_shares import class_shares
from mtlaerial.prediction.map_network import MapNetwork

SHAPES = [(1, 64, 64), (3, 96, 160), (2, 192, 64)]
"""Images, rows, columns; other than those of the example that graphs are traced with."""
WINDOWS = PredictionSpec()
"""Prediction settings of the runs that are exported."""


def session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options)


def images(count: int, rows: int, columns: int) -> np.ndarray:
    return np.random.default_rng(rows).integers(0, 256, (count, 3, rows, columns)).astype(np.float32)


def predicted(network: MapNetwork, image: np.ndarray) -> dict[str, np.ndarray]:
    """Return probabilities and values by task, as maps have them."""
    stacked = network(torch.from_numpy(image))
    channels = {task: stacked[:, network.slice_of(task)] for task in network.outputs}
    return {
        task: (class_shares(output, axis=1) if task_entry(task).output == "classes" else output).numpy()
        for task, output in channels.items()
    }


def assert_same(outputs: Mapping[str, Any], expected: Mapping[str, np.ndarray]) -> None:
    assert list(outputs) == list(expected)
    for task, values in expected.items():
        np.testing.assert_allclose(outputs[task], values, rtol=1e-3, atol=1e-5, err_msg=task)
