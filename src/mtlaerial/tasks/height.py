"""Height: metres above ground at each pixel."""

from mtlaerial.config.task_entry import MapLayer, TaskEntry, Unit

HEIGHT = TaskEntry(
    name="height",
    truth="height",
    output="values",
    activation="linear",
    loss="height_error",
    metrics="heights",
    maps=(
        MapLayer("height", "mean", "height above ground"),
        MapLayer("height_std", "deviation", "standard deviation of height"),
    ),
    title="height",
    plural="heights",
    meaning="metres above ground",
    unit=Unit("metre"),
)
"""Metres above ground of each pixel (nDSM), from ``height``."""
