"""Tasks that networks learn, a file each; other packages add theirs by an entry point of ``mtlaerial.tasks``."""

from mtlaerial.config.task_entry import MapLayer, TaskEntry, Unit
from mtlaerial.tasks.height import HEIGHT
from mtlaerial.tasks.semantics import SEMANTICS

__all__ = ["HEIGHT", "SEMANTICS", "MapLayer", "TaskEntry", "Unit"]
