"""STAC Item of a prediction: place, layers and origin of a folder of maps, for catalogues and other programs.

STAC 1.1 (https://github.com/radiantearth/stac-spec), with the extensions Projection 2.0 (place and grid of the files),
Raster 2.0 (scale of stored values), Classification 2.0 (classes) and Processing 1.2 (software).
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rasterio.enums import WktVersion
from rasterio.warp import transform, transform_bounds

from mtlaerial.maps.cog_writer import CogWriter
from mtlaerial.maps.layer import RasterLayer
from mtlaerial.maps.qgis_style import style_path
from mtlaerial.rasters.geotiff import GDAL_ERRORS, TEXT_ERRORS
from mtlaerial.rasters.grid import Grid
from mtlaerial.system.files import write_text

ITEM = "stac_item.json"
"""Name of the Item's file in the folder of the maps."""
EXTENSIONS = {
    "proj": "projection/v2.0.0",
    "raster": "raster/v2.0.0",
    "classification": "classification/v2.0.0",
    "processing": "processing/v1.2.0",
    "file": "file/v2.1.0",
}
"""Extensions by the prefix of their fields; an Item lists those of which it has fields."""
FILE_SIZE = "file:size"
"""Field of an asset that tells a file which a power cut left incomplete."""
COG_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"


def write_item(folder: Path, name: str, grid: Grid, layers: Sequence[CogWriter], properties: Mapping[str, Any]) -> None:
    """Write the Item of a folder of maps on one grid.

    Parameters
    ----------
    folder : Path
    name : str
        Source of the Item's identifier.
    grid : Grid
    layers : sequence of CogWriter
        Complete files in the folder.
    properties : mapping
        Properties of the Item beside those of place and time.
    """
    item = stac_item(name, grid, layers, properties)
    write_text(folder / ITEM, json.dumps(item, indent=1, allow_nan=False) + "\n")


def stac_item(name: str, grid: Grid, layers: Sequence[CogWriter], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Item of maps on one grid as plain data; see :func:`write_item`.

    It has no geometry where the grid has no CRS. The image's time is not known, so its interval spans all times, since
    STAC requires one.
    """
    geometry, bbox = _place(grid)
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": _identifier(name, "maps"),
        "geometry": geometry,
        "properties": {
            "datetime": None,
            "start_datetime": "1900-01-01T00:00:00Z",
            "end_datetime": "9999-12-31T23:59:59Z",
            **properties,
            **_projection(grid),
        },
        "links": [],
        "assets": {writer.layer.name: _asset(writer) for writer in layers},
    }
    if bbox:
        item["bbox"] = bbox
    styled = [writer for writer in layers if writer.layer.style is not None]
    item["assets"] |= {f"{writer.layer.name}_style": _style(writer.path) for writer in styled}
    item["stac_extensions"] = _extensions(item)
    return item


def _extensions(item: Mapping[str, Any]) -> list[str]:
    text = json.dumps(item)
    versions = [version for prefix, version in EXTENSIONS.items() if f'"{prefix}:' in text]
    return [f"https://stac-extensions.github.io/{version}/schema.json" for version in versions]


def _place(grid: Grid) -> tuple[dict[str, Any] | None, list[float] | None]:
    """Return a grid's outline and bounds in degrees; None without a CRS that leads there."""
    if grid.crs is None:
        return None, None
    corners = [(0, grid.height), (grid.width, grid.height), (grid.width, 0), (0, 0), (0, grid.height)]
    xs, ys = zip(*(grid.transform @ corner for corner in corners), strict=True)
    try:
        longitudes, latitudes = transform(grid.crs, "EPSG:4326", xs, ys)
        bounds = transform_bounds(grid.crs, "EPSG:4326", *grid.bounds)
    except (*GDAL_ERRORS, *TEXT_ERRORS):
        return None, None
    if not all(map(math.isfinite, (*longitudes, *latitudes, *bounds))):
        return None, None
    ring = [[round(x, 8), round(y, 8)] for x, y in zip(longitudes, latitudes, strict=True)]
    return {"type": "Polygon", "coordinates": [ring]}, [round(value, 8) for value in bounds]


def _projection(grid: Grid) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "proj:code": None,
        "proj:shape": [grid.height, grid.width],
        "proj:transform": list(grid.transform)[:6],
        "proj:bbox": list(grid.bounds),
    }
    if grid.crs is not None:
        with suppress(*GDAL_ERRORS, *TEXT_ERRORS):  # a CRS that PROJ does not know has no code
            authority = grid.crs.to_authority()
            fields["proj:code"] = ":".join(authority) if authority else None
            fields["proj:wkt2"] = grid.crs.to_wkt(version=WktVersion.WKT2_2019)
    return fields


def _asset(writer: CogWriter) -> dict[str, Any]:
    layer = writer.layer
    bands = [_band(layer, name, values) for name, values in zip(layer.bands, writer.statistics.bands, strict=True)]
    asset: dict[str, Any] = {"href": f"./{writer.path.name}", "type": COG_TYPE, "roles": ["data"], "bands": bands}
    asset[FILE_SIZE] = writer.path.stat().st_size
    if layer.categories:
        asset["classification:classes"] = _classes(writer)
    return asset


def _band(layer: RasterLayer, name: str, statistics: Mapping[str, float]) -> dict[str, Any]:
    """Return a band's fields; statistics are of stored values, as its no-data is."""
    nodata = "nan" if math.isnan(layer.nodata) else layer.nodata
    band: dict[str, Any] = {"name": name, "data_type": layer.dtype, "nodata": nodata}
    if layer.unit:
        band["unit"] = layer.unit
    if layer.scale != 1:
        band |= {"raster:scale": layer.scale, "raster:offset": 0}
    if statistics:
        band["statistics"] = dict(statistics)
    return band


def _classes(writer: CogWriter) -> list[dict[str, Any]]:
    counts = writer.statistics.class_counts
    total = max(1, sum(counts.values()))
    return [
        {
            "value": code,
            "name": _identifier(name, f"class-{code}"),
            "title": name,
            "color_hint": "".join(f"{value:02X}" for value in colour),
            "percentage": round(100 * counts[code] / total, 4),
            "count": counts[code],
        }
        for code, name, colour in writer.layer.categories
    ]


def _style(path: Path) -> dict[str, Any]:
    return {"href": f"./{style_path(path).name}", "type": "application/x-qgis-layer-settings", "roles": ["style"]}


def _identifier(name: str, otherwise: str) -> str:
    """Return a name with hyphens in place of all but letters and digits; the second where nothing remains."""
    return re.sub(r"[^0-9A-Za-z]+", "-", name).strip("-") or otherwise
