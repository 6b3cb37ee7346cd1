"""Plan of a region from its section of the configuration, kept until images or settings change."""

import hashlib
import json
import logging
import shutil
from pathlib import Path
from typing import Any

from mtlaerial.config.mapping import MapSpec
from mtlaerial.datasets.check.image_gate.expectation import MAP_KEYS
from mtlaerial.datasets.vector_file import part_versions
from mtlaerial.errors import DataError, UserError
from mtlaerial.pipeline.region_products import require_products
from mtlaerial.prediction.image_inputs import find_images
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.prediction.prediction_area import load_area
from mtlaerial.regions.planning import plan_region
from mtlaerial.regions.region import Region, file_version
from mtlaerial.regions.region_summary import SUMMARY, RegionSummary
from mtlaerial.regions.sheets import JOBS
from mtlaerial.runs.run import read_description
from mtlaerial.runs.shipped import find_run
from mtlaerial.system.files import discard

log = logging.getLogger(__name__)
_NO_PART_OF_PLAN = {"prediction", "objects", "polygons"}
"""Keys of the section on which sheets and jobs do not depend."""


def planned_region(spec: MapSpec, path: Path) -> RegionSummary:
    """Return the summary of a section's region; plan it and write its file where section or images have changed.

    The records of jobs of another plan are removed: where that plan comes back, Snakemake takes them for fresh, though
    jobs of the plan between may have mapped the same sheets.

    Parameters
    ----------
    spec : MapSpec
    path : Path
        The file; a change of it repeats the jobs that map sheets, which pass over sheets that did not change.

    Raises
    ------
    UserError
        When images, area or run cannot be read, or do not fit together, or objects and polygons cannot be made.
    """
    inputs = find_images(spec.images, own_folders=False).images
    if remote := next((image for image in inputs if image.remote), None):
        expected = "files, which jobs read at the same time"
        raise DataError("map.images", f"the address {remote.location}", expected, "Download it first.")
    paths = [image.path for image in inputs]
    description = read_description(find_run(spec.run))
    plan_id = _plan_id(spec, paths, description.sha256)
    summary = RegionSummary.load(path)
    if summary and summary.plan_id == plan_id:
        require_products(spec, path, summary.grid, description)
        return summary
    options = ImageOptions(
        bands=spec.bands,
        resample=spec.resample,
        stated_range=spec.range,
        area=None if spec.area is None else load_area(spec.area),
        wording=MAP_KEYS,
    )
    region = plan_region(paths, description, spec.sheet, options, plan_id, _kept(path))
    require_products(spec, path, region.grid, description)
    for record in (path.parent / JOBS).glob("*.json"):
        discard(record)
    region.save(path)
    summary = RegionSummary.of(region)
    summary.save(path)
    log.info("%s: %d images, %d sheets", path, len(region.images), len(region.sheets))
    return summary


def plan_of_dry_run(spec: MapSpec, path: Path, folder: Path) -> Path:
    """Return the file of a region's plan for a dry run, which changes nothing: the plan's own where it holds.

    Parameters
    ----------
    spec : MapSpec
    path : Path
        As of :func:`planned_region`.
    folder : Path
        Temporary folder for the plan that the run would make.

    Raises
    ------
    UserError
        As of :func:`planned_region`.
    """
    target = folder / path.name
    for file in (path, path.with_name(SUMMARY)):
        if file.exists():
            shutil.copy2(file, folder / file.name)
    before = RegionSummary.load(target)
    planned = planned_region(spec, target)
    return path if before and planned.plan_id == before.plan_id else target


def _kept(path: Path) -> Region | None:
    """Return the region of a file; None without one that can be read."""
    if not path.exists():
        return None
    try:
        return Region.load(path)
    except DataError as error:
        log.warning("%s It is planned anew.", error)
        return None


def _plan_id(spec: MapSpec, paths: list[Path], run_id: str) -> str:
    """Return a hash of what the plan of a region depends on."""
    keys = spec.model_dump(mode="json", exclude=_NO_PART_OF_PLAN)
    area = part_versions(spec.area) if spec.area else []
    files = [*map(_image_version, paths), *area]
    return hashlib.sha256(json.dumps([keys, run_id, files]).encode()).hexdigest()


def _image_version(path: Path) -> list[Any]:
    """Return path and version of an image; only the path of one that cannot be read, of which planning will tell."""
    try:
        return [str(path), *file_version(path)]
    except (OSError, UserError):
        return [str(path)]
