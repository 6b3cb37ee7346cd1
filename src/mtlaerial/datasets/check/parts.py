"""The parts of layer files that a tile covers: presence, location and alignment."""

import os
from collections.abc import Sequence
from pathlib import Path

import rasterio

from mtlaerial.config import TASKS, Layer, task_entry
from mtlaerial.config.tile_fields import is_per_tile
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check.duplicates import report_duplicates
from mtlaerial.datasets.check.findings import Findings
from mtlaerial.datasets.check.image_gate.header import RasterHeader
from mtlaerial.datasets.check.image_gate.remedies import like_command
from mtlaerial.datasets.check.part import Part
from mtlaerial.datasets.check.place import ImagePlace, check_layer_place
from mtlaerial.datasets.check.streaming import read_through
from mtlaerial.datasets.decode import UNSCALED, Scaling, height_scaling
from mtlaerial.datasets.height_unit import scale_of_other_unit
from mtlaerial.datasets.misplaced import find_misplaced
from mtlaerial.datasets.tile_windows import layer_window
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.height_unit import stated_unit
from mtlaerial.system.absence import absence


def present(dataset: Dataset, layer: Layer, tile: str, findings: Findings) -> bool:
    """Return whether all files of a layer exist; report missing ones, optional ones as a warning."""
    candidates = dataset.candidates(layer, tile)
    report_duplicates(candidates, findings)
    pairs = zip(dataset.patterns(layer, tile), candidates, strict=True)
    absent = [(accepted, paths) for accepted, paths in pairs if not any(map(os.path.exists, paths))]
    if layer == "eroded":  # optional everywhere
        return not absent
    for accepted, paths in absent:
        path, expected = paths[0], _describe_patterns(accepted, dataset.spec.folders)
        misplaced = find_misplaced(dataset, paths)
        observed = absence(*paths) + (f", but {misplaced.place}" if misplaced else "")
        if dataset.may_lack(layer, tile):
            advice = misplaced.remedy if misplaced else dataset.obtain(layer)
            remedy = f"The task {' and '.join(_tasks_of(layer))} is neither trained nor scored there. {advice}"
            findings.warning(path, observed, f"none, or {expected}", remedy.rstrip())
        else:
            remedy = misplaced.remedy if misplaced else dataset.obtain(layer) or dataset.spec.obtain
            findings.error(path, observed, expected, f"{remedy}{_optional(layer)}")
    return not absent


def _tasks_of(layer: Layer) -> list[str]:
    """Return the package's tasks that a layer is the ground truth of."""
    return [task for task in TASKS if task_entry(task).truth == layer]


def _optional(layer: Layer) -> str:
    """Return the hint for tiles that have no such layer."""
    if not _tasks_of(layer):
        return ""
    return f" Or list the tiles that have none, or their split, in {layer}.optional."


def _describe_patterns(patterns: Sequence[str], folders: Sequence[str]) -> str:
    """Describe the accepted paths of a file; by patterns, so that findings of several tiles can be grouped."""
    text = " or ".join(patterns)
    if len(folders) > 1:
        subfolders = ", ".join(folder for folder in folders if folder != ".")
        text += f" (below the root, or {subfolders} there)"
    return text


def locate(
    dataset: Dataset, layer: Layer, tile: str, image: ImagePlace | None, findings: Findings
) -> list[Part] | None:
    """Locate a tile in each file of a layer; return None if a file is damaged, misplaced or not aligned."""
    errors, parts, files = findings.errors, [], dataset.files(layer, tile)
    for path, patterns in zip(files, dataset.patterns(layer, tile), strict=True):
        with findings.collecting():
            pattern = dataset.places.pattern_of((layer, patterns), tile, path)
            part = _locate(dataset, layer, path, image, is_per_tile(pattern), findings)
            if part:
                parts.append(part)
    if len(parts) == 2 and findings.errors == errors:
        _check_aligned(parts[0], parts[1], findings)
    if len(parts) == len(files) and findings.errors == errors:
        return parts
    for part in parts:  # their values cannot be checked, but damaged pixels still show
        read_through(part, findings)
    return None


def _locate(
    dataset: Dataset, layer: Layer, path: Path, image: ImagePlace | None, per_tile: bool, findings: Findings
) -> Part | None:
    """Locate a tile in a file; at a wrong place, return a file per tile as a whole, and None for a mosaic."""
    with open_raster(path) as source:
        bands, nodata = source.count, source.nodata
        scaling = _scaling(dataset, layer, source, findings)
    header = RasterHeader.read(path)
    file, dtype = header.grid, header.dtypes[0]
    usable = check_layer_place(dataset, layer, header, image, per_tile, findings)
    if usable and image:
        row, column, grid = layer_window(path, image.grid)
    elif per_tile:
        row, column, grid = 0, 0, file
    else:
        return None
    used = (1,) if layer == "height" or dataset.spec.labels is None else dataset.spec.labels.bands
    if max(used) > bands:  # reported by the layer's check of its form
        used = tuple(range(1, bands + 1))
    return Part(path, row, column, grid, file.height, file.width, dtype, bands, nodata, used, scaling)


def _scaling(dataset: Dataset, layer: Layer, source: rasterio.DatasetReader, findings: Findings) -> Scaling:
    """Return the scale and offset tags of a height file; report those that are contradicted, and other units."""
    if layer == "height" and dataset.spec.height is not None:
        unit = stated_unit(source)
        if unit is not None and unit.metres is None and dataset.spec.height.scale == 1:
            remedy = "Check that its values are metres; else set height.scale."
            findings.warning(source.name, f"heights in the unit {unit.name}, which is not known", "metres", remedy)
        if other := scale_of_other_unit(source, dataset.spec.height):
            observed = (
                f"heights in the unit {other}, as the file states, beside height.scale {dataset.spec.height.scale:g}"
            )
            remedy = "Check which of the two is right, and correct height.scale or the file's unit."
            findings.warning(source.name, observed, "a scale that converts this unit to metres", remedy)
        with findings.collecting():
            return height_scaling(source, dataset.spec.height)
    return UNSCALED


def _check_aligned(surface: Part, ground: Part, findings: Findings) -> None:
    """Check that surface and ground have the same cells, to a hundredth of a cell."""
    size = surface.grid.width, surface.grid.height
    mapping = surface.grid.to(ground.grid)
    # Two opposite corners: together they show shifts and differences in cell size.
    corners = [((0, 0), mapping @ (0, 0)), (size, mapping @ size)]
    shift = max(max(abs(x - u), abs(y - v)) for (x, y), (u, v) in corners)
    if size != (ground.grid.width, ground.grid.height) or shift > 0.01:
        expected = f"the cells of {surface.path}: {_describe(surface.grid)}"
        remedy = f"Resample it: {like_command(ground.path, surface.path)}"
        findings.error(ground.path, _describe(ground.grid), expected, remedy)


def _describe(grid: Grid) -> str:
    west, _, _, north = grid.bounds
    height, width = grid.pixel_size
    return f"{grid.height} x {grid.width} cells of {height:g} x {width:g} from W {west:.3f} N {north:.3f}"
