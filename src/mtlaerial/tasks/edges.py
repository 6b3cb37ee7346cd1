"""Height edges: the difference in height around each pixel."""

from mtlaerial.config.task_entry import Derivation, MapLayer, TaskEntry, Unit

EDGES = TaskEntry(
    name="edges",
    truth="height",
    output="values",
    activation="linear",
    loss="derived_error",
    metrics="heights",
    maps=(
        MapLayer("edges", "mean", "difference in height within 1 m"),
        MapLayer("edges_std", "deviation", "standard deviation of the difference in height"),
    ),
    title="height edges",
    plural="height edges",
    meaning="metres between the lowest and the highest height within 1 m",
    unit=Unit("metre"),
    derivation=Derivation("mtlaerial.tasks.height_range:height_range", reach=1.0),
)
"""Metres between the lowest and the highest height around each pixel, from ``height``: walls, eaves, crowns."""
