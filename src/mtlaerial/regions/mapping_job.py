"""Job that maps several sheets of a region, and writes a record when all of them are done."""

import json
from collections.abc import Sequence
from pathlib import Path

from mtlaerial.errors import DataError
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.regions.index import discard_index
from mtlaerial.regions.region import Region
from mtlaerial.regions.sheet_maps import SheetMapper
from mtlaerial.regions.sheets import SHEETS, Sheet
from mtlaerial.system.files import write_text

_MOST_NAMED = 5


def map_sheets(predictor: Predictor, region: Region, sheets: Sequence[Sheet], record: Path) -> None:
    """Map sheets into the folder ``sheets`` beside that of the record; sheets that are mapped already are left.

    The region's index is removed before one is mapped, as it is not of the new maps.

    Parameters
    ----------
    predictor : Predictor
    region : Region
    sheets : sequence of Sheet
    record : Path
        JSON file that says which of them have maps and which have no image.

    Raises
    ------
    DataError
        When sheets failed, after all others were mapped.
    """
    folder = record.parents[1]
    mapper = SheetMapper(predictor, region, folder / SHEETS)
    if not all(map(mapper.is_mapped, sheets)):
        discard_index(folder)
    failures = mapper.map(sheets)
    if failures:
        names = ", ".join(failure.sheet.name for failure in failures[:_MOST_NAMED])
        more = f" and {len(failures) - _MOST_NAMED} more" if len(failures) > _MOST_NAMED else ""
        observed = f"{len(failures)} of {len(sheets)} sheets without a map: {names}{more} ({failures[0].reason})"
        remedy = "The lines above say why. The same command goes on with these."
        raise DataError(record, observed, "images that can be read", remedy)
    empty = [sheet.name for sheet in sheets if mapper.is_empty(sheet)]
    mapped = [sheet.name for sheet in sheets if sheet.name not in set(empty)]
    write_text(record, json.dumps({"mapped": mapped, "without_image": empty}, indent=1) + "\n")
