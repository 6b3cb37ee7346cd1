"""A generated data set: a procedural town written as the files that any specification describes."""

import math
from collections.abc import Mapping

import geopandas as gpd
from shapely.geometry import box

from mtlaerial.config import LAYERS, DatasetSpec, Layer
from mtlaerial.config.names import numbers
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.layers import Place
from mtlaerial.datasets.tile_writer import SIGN, TileWriter
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.progress import track
from mtlaerial.raster import Grid, discard, open_raster, writing

NOTE = "GENERATED.txt"
"""The file that says that a data set is generated, and that it is complete."""


def synthesise(
    dataset: Dataset,
    *,
    seed: int,
    size: int | tuple[int, int],
    ground_truth_gsd: Mapping[Layer, float] | None = None,
) -> None:
    """Write a generated town in a data set's layout, each file under the first of its accepted spellings.

    Tiles lie side by side in one town, or where the specification's grid puts them. The same seed, size and
    specification give the same pixels.

    Parameters
    ----------
    dataset : Dataset
        What to write, and the folder to write it to. Its specification needs ``gsd``.
    seed : int
        Which town.
    size : int or (int, int)
        Rows and columns of each tile in image pixels. A grid has its own.
    ground_truth_gsd : mapping of layer to float, optional
        Pixel size of ``height`` and ``labels`` in metres, whole multiples of the image's; as the image by default.

    Raises
    ------
    ConfigError
        When sizes do not fit, or the specification asks for a format that cannot be written.
    DataError
        When the folder holds files that were not generated, or cannot be written.
    """
    if dataset.spec.gsd is None:
        remedy = "Add it: without files, the size of a pixel is not known."
        raise ConfigError("gsd of the data set", "nothing", "metres per image pixel", remedy)
    _keep_downloads(dataset)
    places = place_tiles(dataset.spec, size)
    writer = TileWriter(dataset, seed, places, _ratios(dataset.spec, places, ground_truth_gsd or {}))
    discard(dataset.root / NOTE)
    with writer:
        for tile in track(dataset.spec.tiles, len(places), f"generating {dataset.name}", "tile"):
            writer.write(tile)
    if dataset.spec.footprints:
        _write_footprints(dataset, {tile: writer.grid(place) for tile, place in places.items()})
    rows, columns = next((place.rows, place.columns) for place in places.values())
    with writing(dataset.root / NOTE) as path:
        path.write_text(
            f"All files of this data set ({dataset.spec.title}) are {SIGN}. They show no real place.\n"
            f"seed {seed}, {len(places)} tiles of {rows} x {columns} pixels, {dataset.spec.gsd} m each\n",
            encoding="utf-8",
        )


def place_tiles(spec: DatasetSpec, size: int | tuple[int, int]) -> dict[str, Place]:
    """Return where each tile lies in the town, in image pixels."""
    rows, columns = spec.grid.size if spec.grid else (size, size) if isinstance(size, int) else size
    across = math.ceil(math.sqrt(len(spec.tiles)))
    cells = {
        tile: _cell(tile, spec.grid.name) if spec.grid else divmod(number, across)
        for number, tile in enumerate(spec.tiles)
    }
    return {tile: Place(row * rows, column * columns, rows, columns) for tile, (row, column) in cells.items()}


def _cell(tile: str, name: str) -> tuple[int, int]:
    """Return the row and column, from 0, that a tile of a grid is named after."""
    cell = numbers(name, tile)
    return cell["row"] - 1, cell["column"] - 1


def _ratios(spec: DatasetSpec, places: dict[str, Place], wanted: Mapping[Layer, float]) -> dict[Layer, int]:
    assert spec.gsd is not None
    ratios: dict[Layer, int] = {"image": 1, "height": 1, "labels": 1}
    place = next(iter(places.values()))
    for layer, gsd in wanted.items():
        ratio = round(gsd / spec.gsd)
        if (
            ratio < 1
            or not math.isclose(ratio * spec.gsd, gsd, rel_tol=1e-6)
            or place.rows % ratio
            or place.columns % ratio
        ):
            found = f"{gsd} m beside an image of {place.rows} x {place.columns} pixels of {spec.gsd} m"
            raise ConfigError(f"pixel size of {layer}", found, "whole pixels, a whole number of times larger")
        ratios[layer] = ratio
    return ratios


def _keep_downloads(dataset: Dataset) -> None:
    """Refuse to write over files that were not generated."""
    paths = {p for tile in dataset.spec.tiles for layer in LAYERS for c in dataset.candidates(layer, tile) for p in c}
    for path in sorted(paths):
        if path.exists():
            with open_raster(path) as source:
                if not any("mtlaerial" in text for text in source.tags().values()):
                    remedy = "Generate into another folder."
                    raise DataError(path, "a file that was not generated", "none, or a generated one", remedy)


def _write_footprints(dataset: Dataset, grids: dict[str, Grid]) -> None:
    spec = dataset.spec.footprints
    assert spec is not None
    path = dataset.footprint_paths[0]
    if path.suffix.lower() == ".shp":
        expected = "a format of one file, as .geojson or .gpkg"
        raise ConfigError("footprints.files", path.name, expected, "Name such a file first.")
    shapes = {spec.column: list(grids), "geometry": [box(*grid.bounds) for grid in grids.values()]}
    with writing(path) as partial:
        gpd.GeoDataFrame(shapes, crs=dataset.spec.crs).to_file(partial, layer="tiles")
