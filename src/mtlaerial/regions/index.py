"""Index of a region's sheets: a VRT per layer that shows all of them as one map, and a STAC Collection."""

import logging
from collections.abc import Iterator, Sequence
from itertools import starmap
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import rasterio

from mtlaerial.errors import DataError
from mtlaerial.maps.stac_collection import COLLECTION, write_collection
from mtlaerial.maps.stac_item import ITEM
from mtlaerial.prediction.finished_maps import has_all_maps
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.regions.region import Region
from mtlaerial.regions.sheets import EMPTY, JOBS, SHEETS, Sheet
from mtlaerial.system.files import discard, write_text

log = logging.getLogger(__name__)
_GDAL_TYPES = {"uint8": "Byte", "int16": "Int16", "float32": "Float32"}
DERIVED = ("objects.gpkg", "polygons.gpkg", "polygons.csv")
"""Files that are made of the index: objects, and polygons with what is in them."""
_TAGS_OF_ONE = ("IMAGE", "IMAGE_ID")
"""Tags of a map that name its sheet."""


def index_sheets(region: Region, folder: Path, run: str) -> int:
    """Write ``LAYER.vrt`` for each layer of the mapped sheets, and ``collection.json``; return the number of sheets.

    Parameters
    ----------
    region : Region
    folder : Path
        Has the folder ``sheets``, and gets the index, whose files name those of the sheets relative to it.
    run : str
        Name of the run that mapped them.

    Raises
    ------
    DataError
        When no sheet has a map, or maps are missing or incomplete, as after a power cut. The records of all jobs are
        removed then, so that the workflow runs them again; they pass over the other sheets.
    """
    sheets = folder / SHEETS
    mapped = [sheet for sheet in region.sheets if not (sheets / sheet.name / EMPTY).exists()]
    _require_complete(folder, [sheet.name for sheet in mapped if not has_all_maps(sheets / sheet.name)])
    if not mapped:
        raise DataError(sheets, "no sheet with a map", "at least one", "Check the images and the area.")
    _name_strangers(region, sheets)
    discard_index(folder)
    first = sheets / mapped[0].name
    for layer in sorted(path.stem for path in first.glob("*.tif")):
        with open_raster(first / f"{layer}.tif") as source:
            text = "\n".join(_vrt_lines(region, mapped, source, f"{SHEETS}/{{sheet}}/{layer}.tif"))
        write_text(folder / f"{layer}.vrt", text + "\n")
    write_collection(folder, [sheets / sheet.name / ITEM for sheet in mapped], run)
    return len(mapped)


def discard_index(folder: Path) -> None:
    """Remove the index in a folder, and what was made of it.

    The sheets may be elsewhere, or of other layers, once they are mapped anew.
    """
    derived = (folder / name for name in DERIVED)
    for path in (folder / COLLECTION, *folder.glob("*.vrt"), *derived):
        discard(path)


def _require_complete(folder: Path, incomplete: Sequence[str]) -> None:
    """Refuse sheets whose maps are missing or incomplete."""
    if incomplete:
        for record in (folder / JOBS).glob("*.json"):
            discard(record)
        observed = f"{len(incomplete)} sheets whose maps are missing or incomplete, such as {incomplete[0]}"
        raise DataError(folder / SHEETS, observed, "complete maps", "The same command maps them again.")


def _name_strangers(region: Region, sheets: Path) -> None:
    """Log folders of sheets that the region has not; an earlier region had them."""
    names = {sheet.name for sheet in region.sheets}
    others = sorted(path.name for path in sheets.iterdir() if path.name not in names)
    if others:
        log.warning(
            "%s: %d folders are no sheets of the region, such as %s; remove them", sheets, len(others), others[0]
        )


def _vrt_lines(region: Region, mapped: Sequence[Sheet], source: rasterio.DatasetReader, file: str) -> Iterator[str]:
    """Yield the lines of the VRT of a layer: each pixel is that of one sheet, or no data."""
    grid = region.grid
    yield f'<VRTDataset rasterXSize="{grid.width}" rasterYSize="{grid.height}">'
    if grid.crs:
        yield f"<SRS>{escape(grid.crs.to_wkt())}</SRS>"
    yield f"<Metadata>{''.join(starmap(_metadata_item, _common_tags(source, len(mapped)).items()))}</Metadata>"
    yield f"<GeoTransform>{', '.join(repr(float(value)) for value in grid.transform.to_gdal())}</GeoTransform>"
    for band in source.indexes:
        yield f'<VRTRasterBand dataType="{_GDAL_TYPES[source.dtypes[band - 1]]}" band="{band}">'
        yield from _band_lines(source, band)
        for sheet in mapped:
            yield from _source_lines(region, sheet, file.format(sheet=sheet.name), band)
        yield "</VRTRasterBand>"
    yield "</VRTDataset>"


def _common_tags(source: rasterio.DatasetReader, sheets: int) -> dict[str, str]:
    """Return the tags of a sheet's layer that hold for all sheets, such as the names of classes and the run."""
    tags = {key: text for key, text in source.tags().items() if key not in _TAGS_OF_ONE}
    return {**tags, "IMAGE": f"region of {sheets} sheets"}


def _metadata_item(key: str, text: str) -> str:
    return f"<MDI key={quoteattr(key)}>{escape(text)}</MDI>"


def _band_lines(source: rasterio.DatasetReader, band: int) -> Iterator[str]:
    """Yield what a layer says of a band: description, no data, unit, scale and colours."""
    index = band - 1
    if source.descriptions[index]:
        yield f"<Description>{escape(source.descriptions[index])}</Description>"
    if source.nodatavals[index] is not None:
        yield f"<NoDataValue>{source.nodatavals[index]:.17g}</NoDataValue>"
    if source.units[index]:
        yield f"<UnitType>{escape(source.units[index])}</UnitType>"
    yield f"<Offset>{source.offsets[index]:.17g}</Offset><Scale>{source.scales[index]:.17g}</Scale>"
    yield f"<ColorInterp>{source.colorinterp[index].name.capitalize()}</ColorInterp>"
    try:
        colours = source.colormap(band)
    except ValueError:
        return
    entries = (f'<Entry c1="{r}" c2="{g}" c3="{b}" c4="{a}"/>' for _, (r, g, b, a) in sorted(colours.items()))
    yield f"<ColorTable>{''.join(entries)}</ColorTable>"


def _source_lines(region: Region, sheet: Sheet, file: str, band: int) -> Iterator[str]:
    span = region.span_of(sheet)
    size = f"xSize={quoteattr(str(span.columns))} ySize={quoteattr(str(span.rows))}"
    yield f'<SimpleSource><SourceFilename relativeToVRT="1">{escape(file)}</SourceFilename>'
    yield f"<SourceBand>{band}</SourceBand>"
    yield f'<SrcRect xOff="0" yOff="0" {size}/><DstRect xOff="{span.column}" yOff="{span.row}" {size}/>'
    yield "</SimpleSource>"
