"""Checkouts of one data set and method, with a folder of finished rows."""

from collections.abc import Callable
from pathlib import Path

from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.runs_here import RunKey
from support.tiny import Folders

RUN = RunKey("city", "equal", 0)
ROWS = Path("rows")
CONFIG = Path("config.yaml")
"""The configuration that was built last."""
Build = Callable[..., Project]


def all_tiles(tiles: Folders) -> list[Path]:
    return [folder for folders in tiles.values() for folder in folders]
