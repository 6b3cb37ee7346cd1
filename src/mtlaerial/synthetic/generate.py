"""A generated data set: a procedural town written as the files that any specification describes."""

import math
from collections.abc import Mapping
from functools import partial
from shutil import rmtree

from mtlaerial.config import Layer
from mtlaerial.config.layers import TILE_LAYERS
from mtlaerial.datasets.catalog import NOTE, Dataset
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.synthetic.file_plan import Plan
from mtlaerial.synthetic.tile_layout import check_whole, lay_out, pixel_ratios, tile_sizes
from mtlaerial.synthetic.writer import SIGN, join_mosaics, write_tile
from mtlaerial.system.files import discard, writing
from mtlaerial.system.process_pool import in_processes
from mtlaerial.system.progress import track


def synthesise(
    dataset: Dataset,
    *,
    seed: int,
    size: int | tuple[int, int],
    vary: float = 0.0,
    ground_truth_gsd: Mapping[Layer, float] | None = None,
    jobs: int = 1,
) -> None:
    """Write a generated town in a data set's layout, each file under the first of its accepted spellings.

    Tiles lie in one town: with their corners where their names say, where the specification's grid puts them, or side
    by side. The same seed, size and specification give the same pixels, whatever the number of processes.

    Parameters
    ----------
    dataset : Dataset
        What to write, and the folder to write it to. Its specification needs ``gsd``.
    seed : int
        Which town.
    size : int or (int, int)
        Rows and columns of each tile in image pixels. A grid has its own.
    vary : float
        Share by which rows and columns of a tile may differ from ``size``, for tiles of a size of their own.
    ground_truth_gsd : mapping of layer to float, optional
        Pixel size of ``height`` and ``labels`` in metres, whole multiples of the image's; as the image by default.
    jobs : int
        Processes that write tiles.

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
    plan = _plan(dataset, seed, size, vary, pixel_ratios(dataset.spec.gsd, ground_truth_gsd or {}))
    discard(dataset.root / NOTE)
    try:
        done = in_processes(partial(write_tile, plan), dataset.spec.tiles, jobs)
        for _ in track(done, len(dataset.spec.tiles), f"generating {dataset.name}", "tile"):
            pass
        join_mosaics(plan)
    finally:
        rmtree(plan.parts, ignore_errors=True)
    if dataset.spec.footprints:
        _write_footprints(plan)
    _write_note(plan)


def _plan(dataset: Dataset, seed: int, size: int | tuple[int, int], vary: float, ratios: dict[Layer, int]) -> Plan:
    sizes = tile_sizes(dataset.spec, seed, size, vary, math.lcm(*ratios.values()))
    town = lay_out(dataset, sizes)
    check_whole(town.places, ratios)
    plan = Plan(dataset, seed, town, ratios, dataset.root / ".parts")
    plan.check_formats()
    return plan


def _keep_downloads(dataset: Dataset) -> None:
    """Refuse to write over files that were not generated."""
    spec = dataset.spec
    paths = {p for tile in spec.tiles for layer in TILE_LAYERS for c in dataset.candidates(layer, tile) for p in c}
    for path in sorted(paths):
        if path.exists():
            with open_raster(path) as source:
                if not any("mtlaerial" in text for text in source.tags().values()):
                    remedy = "Generate into another folder."
                    raise DataError(path, "a file that was not generated", "none, or a generated one", remedy)


def _write_footprints(plan: Plan) -> None:
    import geopandas as gpd  # takes half a second to import, and few data sets have footprints
    from shapely.geometry import box

    dataset = plan.dataset
    spec, path = dataset.spec.footprints, dataset.footprint_paths[0]
    assert spec is not None
    places = plan.town.places
    bounds = [box(*plan.town.grid(place, 1).bounds) for place in places.values()]
    with writing(path) as partial_file:
        shapes = gpd.GeoDataFrame({spec.column: list(places), "geometry": bounds}, crs=dataset.spec.crs)
        shapes.to_file(partial_file, layer="tiles")


def _write_note(plan: Plan) -> None:
    spec, sizes = plan.dataset.spec, [(place.rows, place.columns) for place in plan.town.places.values()]
    (least_rows, least_columns), (rows, columns) = (tuple(map(f, zip(*sizes, strict=True))) for f in (min, max))
    smallest = "" if (rows, columns) == (least_rows, least_columns) else f"{least_rows} x {least_columns} to "
    with writing(plan.dataset.root / NOTE) as path:
        path.write_text(
            f"All files of this data set ({spec.title}) are {SIGN}. They show no real place.\n"
            f"seed {plan.seed}, {len(sizes)} tiles of {smallest}{rows} x {columns} pixels, {spec.gsd} m each\n",
            encoding="utf-8",
        )
