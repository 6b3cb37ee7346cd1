"""Tasks that networks learn, a file each; other packages add theirs by an entry point of ``mtlaerial.tasks``."""

from mtlaerial.config.task_entry import Derivation, MapLayer, TaskEntry, Unit
from mtlaerial.tasks.edges import EDGES
from mtlaerial.tasks.height import HEIGHT
from mtlaerial.tasks.semantics import SEMANTICS

__all__ = ["EDGES", "HEIGHT", "SEMANTICS", "Derivation", "MapLayer", "TaskEntry", "Unit"]
