"""Semantics: the class of each pixel."""

from mtlaerial.config.task_entry import MapLayer, TaskEntry

SEMANTICS = TaskEntry(
    name="semantics",
    truth="labels",
    output="classes",
    activation="class_scores",
    loss="class_error",
    metrics="classes",
    maps=(MapLayer("semantics", "classes", "class"),),
    title="classes",
    plural="classes",
    meaning="probabilities of the classes: their sum is 1",
)
"""The class of each pixel, from ``labels``."""
