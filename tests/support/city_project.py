"""Projects of one generated data set and three methods, after changes of its specification."""

from pathlib import Path
from typing import Any

import yaml

from mtlaerial.config import merge
from mtlaerial.pipeline.decisive_params import Decisive
from mtlaerial.pipeline.project import Project
from support import tiny

SPEC = tiny.city_spec().model_dump(mode="json")
SPEC_TILES = [tile for tiles in tiny.SPLITS.values() for tile in tiles]


def project_of(data: dict[str, Any], spec: dict[str, Any] | None = None) -> Project:
    """Return the project, after changes of the specification if there are any."""
    if spec is not None:
        path = Path(data["datasets"]["city"]["spec"])
        path.write_text(yaml.safe_dump(merge(SPEC, spec)), encoding="utf-8")
    return Project.of(data)


def tile_params(project: Project, tile: str) -> dict[str, Any]:
    """Return the params that a prepared tile of the city depends on."""
    return Decisive(project).prepare_tile("city", tile)
