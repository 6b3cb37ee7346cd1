"""Ground of prepared tiles, as a run records it, and as footprints to compare."""

from collections.abc import Sequence
from pathlib import Path

from mtlaerial.datasets.footprints import Bounds, Footprint
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.runs.ground import Ground
from mtlaerial.tiles.record import layer_path, load_record


def training_ground(tiles: Sequence[Path], dataset: str, generated: bool) -> Ground:
    """Return the ground of prepared training tiles.

    Parameters
    ----------
    tiles : sequence of Path
        Their folders.
    dataset : str
    generated : bool

    Raises
    ------
    DataError
        When an image or a record cannot be read.
    """
    if generated:
        return Ground(dataset=dataset, generated=True)
    placed: dict[str, dict[str, Bounds]] = {}
    kept_from: dict[str, None] = {}
    unplaced = 0
    for folder in tiles:
        kept_from |= dict.fromkeys(load_record(folder).keys.get("held_out", ()))
        footprint = prepared_footprint(folder)
        if footprint is None:
            unplaced += 1
        else:
            assert footprint.crs
            placed.setdefault(footprint.crs, {})[footprint.tile] = footprint.bounds
    return Ground(dataset=dataset, tiles=placed, unplaced=unplaced, kept_from=tuple(kept_from))


def prepared_footprint(folder: Path) -> Footprint | None:
    """Return the footprint of a prepared tile; None without georeference or CRS.

    Raises
    ------
    DataError
        When its image cannot be read.
    """
    with open_raster(layer_path(folder, "image")) as source:
        grid = Grid.of(source)
    if not (grid.georeferenced and grid.crs):
        return None
    return Footprint(tile=folder.name, group="new", bounds=grid.bounds, crs=grid.crs.to_string())


def recorded_footprints(ground: Ground) -> list[Footprint]:
    """Return the footprints of the tiles that a record has."""
    return [
        Footprint(tile=name, group="seen", bounds=bounds, crs=crs)
        for crs, tiles in ground.tiles.items()
        for name, bounds in tiles.items()
    ]
