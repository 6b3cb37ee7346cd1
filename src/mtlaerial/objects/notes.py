"""Sentences on what was made of maps, for the log and for the files' metadata."""

from collections.abc import Mapping, Sequence

from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.maps.map_folder import HEIGHTS, PROBABILITIES
from mtlaerial.objects.region import Region
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.version import __version__


def region_notes(region: Region) -> list[str]:
    """Return sentences on overlapping maps, and on heights whose cells are not the pixels of the classes."""
    overlaps = region.overlaps
    notes = []
    if overlaps:
        first, second = overlaps[0]
        where = f"{first} and {second}" + (f", and {len(overlaps) - 1} more pairs" if len(overlaps) > 1 else "")
        notes.append(f"Maps overlap: {where}. There the maps that are named first count.")
    for folder in region.folders:
        path = folder.layer(HEIGHTS)
        if path is None:
            notes.append(f"{folder.path} has no map of heights: its objects have none.")
            continue
        with open_raster(path) as source:
            cells = Grid.of(source).pixel_size
        if cells != folder.grid.pixel_size:
            sizes = [f"{size[1]:.4g} x {size[0]:.4g}" for size in (cells, folder.grid.pixel_size)]
            rule = "each pixel takes the cell that holds its centre"
            notes.append(f"{path} has cells of {sizes[0]}, the classes {sizes[1]}: {rule}.")
    return notes


def summary(counts: Mapping[str, int], spec: ObjectsSpec, left_out: int, kept_outlines: int | None) -> list[str]:
    """Return sentences on the number of objects, of those left out, and of those that are not regularised."""
    listed = ", ".join(f"{counts.get(name, 0)} of class {name}" for name in spec.classes)
    notes = [f"Objects: {listed}; {left_out} smaller than {spec.min_area:g} m² are left out."]
    if kept_outlines is not None:
        notes.append(f"{kept_outlines} of {sum(counts.values())} objects keep their outline along pixels.")
    return notes


def empty_columns(region: Region, rules: bool) -> list[str]:
    """Return a sentence on each column that is empty, and why."""
    notes = []
    if where := _lacking(region, HEIGHTS):
        notes.append(f"heights and volume are empty{where}: there is no map of heights.")
    if where := _lacking(region, PROBABILITIES):
        notes.append(f"probability is empty{where}: predict with --layers probabilities.")
    if not rules:
        notes.append("violations is empty: no rules between tasks are given.")
    return notes


def _lacking(region: Region, layer: str) -> str | None:
    """Return in which of the maps a layer is missing, as the end of a clause; None where it is missing in none."""
    number, total = sum(folder.layer(layer) is None for folder in region.folders), len(region.folders)
    if not number:
        return None
    return f" in {number} of {total} maps" if total > 1 else " in these maps"


def metadata_of(region: Region, spec: ObjectsSpec, notes: Sequence[str]) -> dict[str, str]:
    """Return what a file says of its origin."""
    tags = {
        key: ", ".join(dict.fromkeys(folder.origin[key] for folder in region.folders if key in folder.origin))
        for key in ("IMAGE", "IMAGE_ID", "RUN", "RUN_ID", "TRAINED_ON")
    }
    return {
        "MTLAERIAL": __version__,
        **{key: value for key, value in tags.items() if value},
        "MIN_AREA": f"{spec.min_area:g} m²",
        "MIN_HOLE": f"{spec.min_hole:g} m²",
        "REGULARISED": "yes" if spec.regularise else "no",
        "NOTES": " ".join(notes),
    }
