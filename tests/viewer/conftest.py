"""Maps of a generated place with its objects, made once per test run."""

from pathlib import Path

import pytest

from support.map_viewer import SIDE, write_objects, write_place
from support.object_maps import grid
from support.shared import made_once


def _place(folder: Path) -> None:
    folder.mkdir()
    write_place(folder)
    write_objects(folder / "buildings.gpkg", grid(SIDE, SIDE))


@pytest.fixture(scope="session")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder; tests only read it."""
    return made_once(tmp_path_factory, "viewer_maps", _place)
