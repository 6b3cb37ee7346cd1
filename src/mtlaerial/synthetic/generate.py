"""Generation of a data set: a procedural town, written in the files of any specification."""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from shutil import rmtree

from mtlaerial.config import DatasetSpec, Layer, NoiseSpec
from mtlaerial.config.generation import GRID, StyleName, described
from mtlaerial.config.layers import PREPARED_LAYERS
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.generation_note import NOTE
from mtlaerial.datasets.tile_listing import require_listed
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.synthetic.file_plan import Plan
from mtlaerial.synthetic.tile_layout import check_alignment, lay_out, pixel_ratios, tile_sizes
from mtlaerial.synthetic.writer import SIGNATURE, join_mosaics, write_tile
from mtlaerial.system.files import discard, write_text, writing
from mtlaerial.system.process_pool import in_processes
from mtlaerial.system.progress import track


def synthesise(
    dataset: Dataset,
    *,
    seed: int,
    size: int | tuple[int, int],
    vary: float = 0.0,
    ground_truth_gsd: Mapping[Layer, float] | None = None,
    style: StyleName = GRID,
    noise: Mapping[str, float] | None = None,
    jobs: int = 1,
) -> None:
    """Generate a town and write it in a data set's layout, each file under its preferred path.

    All tiles lie in one town: at the corners in their names, in the cells of the specification's grid, or side by side.
    The same style, seed, size, noise and specification give the same pixels, whatever the number of processes.

    Parameters
    ----------
    dataset : Dataset
        The specification, which needs ``gsd``, and the folder to write to.
    seed : int
        Seed of the town.
    size : int or (int, int)
        Rows and columns of each tile in image pixels; ignored with a grid, which has its own cell size.
    vary : float
        Largest relative difference of a tile's rows and columns from ``size``.
    ground_truth_gsd : mapping of layer to float, optional
        Pixel sizes of ``height`` and ``labels`` in metres, multiples of the image's; by default the image's.
    style : str
        Style of the town.
    noise : mapping of str to float, optional
        Noise of layers, by the keys of :class:`mtlaerial.config.NoiseSpec`; by default none.
    jobs : int
        Number of processes.

    Raises
    ------
    ConfigError
        When sizes do not fit each other, a format cannot be written, or noise has no layer or no split to be in.
    DataError
        When the folder holds files that were not generated, or is not writable.
    """
    if dataset.spec.gsd is None:
        remedy = "Add it: without files, the size of a pixel is not known."
        raise ConfigError("gsd of the data set", "nothing", "metres per image pixel", remedy)
    require_listed(dataset.spec)
    _refuse_other_files(dataset)
    layer_noise = NoiseSpec.parse(noise or {}, "noise")
    _require_noisy_layers(dataset.spec, layer_noise)
    plan = _plan(dataset, seed, size, vary, pixel_ratios(dataset.spec.gsd, ground_truth_gsd or {}))
    plan = replace(plan, style=style, noise=layer_noise)
    discard(dataset.root / NOTE)  # written again at the end: it marks a complete data set
    try:
        written = in_processes(partial(write_tile, plan), dataset.spec.tiles, jobs)
        for _ in track(written, len(dataset.spec.tiles), f"generating {dataset.name}", "tile"):
            pass
        join_mosaics(plan)
    finally:
        rmtree(plan.parts, ignore_errors=True)
    if dataset.spec.footprints:
        _write_footprints(plan)
    _write_note(plan)


def _require_noisy_layers(spec: DatasetSpec, noise: NoiseSpec) -> None:
    """Refuse noise of ground truth that a data set lacks, or whose tiles are all tested."""
    for layer, section in (("height", spec.height), ("labels", spec.labels)):
        value = getattr(noise, layer)
        if value and section is None:
            raise ConfigError(f"noise.{layer}", f"{value:g} for a data set without {layer}", "0", "Leave it out.")
        if value and spec.areas:
            expected = "0 with areas, whose tiles are all tested: the truth of test tiles is exact"
            raise ConfigError(f"noise.{layer}", f"{value:g}", expected, "Use splits instead of areas, or leave it out.")


def _plan(dataset: Dataset, seed: int, size: int | tuple[int, int], vary: float, ratios: dict[Layer, int]) -> Plan:
    sizes = tile_sizes(dataset.spec, seed, size, vary, math.lcm(*ratios.values()))
    town = lay_out(dataset, sizes)
    check_alignment(town.places, ratios)
    plan = Plan(dataset, seed, town, ratios, dataset.root / ".parts")
    plan.check_formats()
    return plan


def _refuse_other_files(dataset: Dataset) -> None:
    """Refuse to overwrite files that were not generated; generated ones have a tag with the program's name."""
    paths: set[Path] = set()
    for tile in dataset.spec.tiles:
        for layer in PREPARED_LAYERS:
            paths.update(*dataset.candidates(layer, tile))
    for path in sorted(filter(Path.exists, paths)):
        with open_raster(path) as source:
            tags = source.tags()
        if not any("mtlaerial" in text for text in tags.values()):
            remedy = "Generate into another folder."
            raise DataError(path, "a file that was not generated", "none, or a generated one", remedy)


def _write_footprints(plan: Plan) -> None:
    import geopandas as gpd  # here, as the import takes half a second and few data sets have footprints
    from shapely.geometry import box

    dataset = plan.dataset
    spec, path = dataset.spec.footprints, dataset.footprint_paths[0]
    assert spec is not None
    places = plan.town.places
    boxes = [box(*plan.town.grid(place, 1).bounds) for place in places.values()]
    with writing(path) as partial_file:
        shapes = gpd.GeoDataFrame({spec.column: list(places), "geometry": boxes}, crs=dataset.spec.crs)
        shapes.to_file(partial_file, layer="tiles")


def _write_note(plan: Plan) -> None:
    spec, places = plan.dataset.spec, plan.town.places.values()
    rows = [place.rows for place in places]
    columns = [place.columns for place in places]
    smallest, largest = f"{min(rows)} x {min(columns)}", f"{max(rows)} x {max(columns)}"
    size = largest if smallest == largest else f"{smallest} to {largest}"
    write_text(
        plan.dataset.root / NOTE,
        f"All files of this data set ({spec.title}) are {SIGNATURE}. They show no real place.\n"
        f"seed {plan.seed}, {len(places)} tiles of {size} pixels, {spec.gsd} m each\n"
        f"{described(plan.style, plan.noise)}\n",
    )
