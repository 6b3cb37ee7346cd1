"""Record of the ground that a run was trained on: the bounds of its training tiles."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from mtlaerial.config import Section
from mtlaerial.datasets.footprints import Bounds, Footprint
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.tiles.record import layer_path, load_record


def _numbers(value: Any) -> Any:
    return tuple(map(float, value.split())) if isinstance(value, str) else value


def _text(bounds: Bounds) -> str:
    return " ".join(map(repr, bounds))


# A line of run.yaml for each tile.
BoundsText = Annotated[Bounds, BeforeValidator(_numbers), PlainSerializer(_text, return_type=str)]


class Ground(Section):
    """The ground of the tiles that a run was trained on."""

    dataset: str
    """Name of the data set, or of its fold."""
    generated: bool = False
    """Whether the tiles are generated: then they lie nowhere on Earth, and are not listed."""
    tiles: dict[str, dict[str, BoundsText]] = {}
    """West, south, east and north of each tile, by CRS and name."""
    unplaced: int = 0
    """Number of tiles without georeference or CRS."""
    kept_from: tuple[str, ...] = ()
    """Tiles held out around which a buffer took the truth out of the training."""

    @property
    def footprints(self) -> list[Footprint]:
        """Footprints of the tiles."""
        return [
            Footprint(tile=name, group="seen", bounds=bounds, crs=crs)
            for crs, tiles in self.tiles.items()
            for name, bounds in tiles.items()
        ]

    @property
    def text(self) -> str:
        """The record as a phrase."""
        if self.generated:
            return "generated, nowhere on Earth"
        parts = [f"{sum(map(len, self.tiles.values()))} tiles by their bounds"] if self.tiles else []
        parts += [f"{self.unplaced} without georeference or CRS"] if self.unplaced else []
        return " and ".join(parts)


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
