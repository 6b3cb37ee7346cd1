"""Maps of one image by a predictor: their tags, and their files as people open them."""

import dataclasses
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rasterio.windows import Window

from mtlaerial.config.tasks import installed_entries
from mtlaerial.maps.qgis_style import style_path
from mtlaerial.maps.stac_item import ITEM
from mtlaerial.prediction.image_match import MatchingImage
from mtlaerial.prediction.map_files import contents_of
from mtlaerial.prediction.map_origin import (
    image_id,
    origin_tags,
    remove_stale,
    require_replaceable,
    settings_id,
    source_id,
)
from mtlaerial.prediction.map_provenance import SOURCE_ID
from mtlaerial.prediction.opened_image import open_file, open_image, own_grid_source
from mtlaerial.prediction.shown_maps import Map, Storage
from mtlaerial.prediction.strip_reader import strip_reader
from mtlaerial.rasters.sparse import require_all_parts

if TYPE_CHECKING:
    from mtlaerial.prediction.predictor import Predictor

log = logging.getLogger(__name__)


def sampled_origin(predictor: "Predictor", image: MatchingImage) -> dict[str, str]:
    """Return the tags of maps that name their image, by a sample of its pixels, and their run."""
    statistics = predictor.description.statistics
    with open_image(image, statistics) as opened:
        read = strip_reader(image.path, opened.pixels, statistics.range)
        identity = image_id(read, image.predicted_grid, image.grid)
    return origin_tags(image.path, identity, predictor.description, predictor.prediction)


def image_origin(predictor: "Predictor", image: MatchingImage, address: str = "") -> dict[str, str]:
    """Return the tags of maps that name their image, their run, and what else they depend on.

    Parameters
    ----------
    predictor : Predictor
    image : MatchingImage
    address : str, optional
        The address on the web that it comes from.
    """
    nodata = predictor.description.statistics.nodata
    settings = settings_id(predictor.prediction, image.options, predictor.calibration, nodata)
    sampled = sampled_origin(predictor, dataclasses.replace(image, area=None))
    return {**sampled, "SETTINGS_ID": settings, SOURCE_ID: source_id(image.path, address)}


def write_image_maps(
    predictor: "Predictor", image: MatchingImage, folder: Path, origin: Mapping[str, str], replace: bool = False
) -> None:
    """Write the maps of an image; see :meth:`mtlaerial.prediction.predictor.Predictor.predict_image`.

    Parameters
    ----------
    predictor : Predictor
    image : MatchingImage
    folder : Path
    origin : mapping
        The maps' tags, of :func:`image_origin`.
    replace : bool
        Replace maps of another image or another run in the folder too.
    """
    statistics = predictor.description.statistics
    with open_file(image, statistics) as bands:
        require_all_parts(bands, Window(0, 0, image.grid.width, image.grid.height))
    names = dict.fromkeys(layer.name for entry in installed_entries() for layer in entry.possible_maps)
    possible = [folder / f"{name}.tif" for name in names]
    require_replaceable(image.path, possible, origin, replace, folder / ITEM)
    maps = [Map(of.layer.name, of, image.grid) for of in contents_of(predictor.network, predictor.calibration)]
    if image.grid.crs is None:
        log.info("%s: no CRS, so the maps have none: give a GIS the CRS when it opens them", image.path)
    with own_grid_source(image, statistics) as own_grid:
        storage = Storage(predictor.prediction, replace, predictor.calibration, own_grid)
        meters = predictor.run_over(image, maps, folder, origin, storage)
    written = [folder / f"{name}.tif" for name, _, _ in maps]
    remove_stale([*possible, *map(style_path, possible)], [*written, *map(style_path, written)])
    for line in meters.findings():
        log.info(line)
