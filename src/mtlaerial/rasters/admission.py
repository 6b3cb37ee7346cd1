"""Checks of raster files before their pixels are read: what GDAL would open besides the file that the user named."""

import os
import re
import stat
import warnings
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import rasterio
from rasterio.errors import NotGeoreferencedWarning

from mtlaerial.errors import DataError, deepest_cause
from mtlaerial.rasters.formats import VRT, Format, format_of
from mtlaerial.rasters.limits import require_bounded
from mtlaerial.rasters.vrt_files import files_of
from mtlaerial.system.absence import absence

DEEPEST = 8
"""Deepest nesting of VRTs."""
_SIDECARS = (".msk", ".ovr")
"""Endings of the rasters that GDAL opens beside one, by their content: a mask and overviews."""
_SIDECAR_DRIVERS = ("GTiff", "HFA")
_OVERVIEWS = "OVERVIEW_FILE"
"""A tag, of the file or its ``.aux.xml``, by which GDAL opens any file or address as overviews and mask."""

_ADDRESS = re.compile(r"/vsi\w+/|[a-z][a-z0-9+.-]+:/", re.IGNORECASE)
"""Addresses, of which paths keep one of the two slashes, and GDAL's names of remote and packed files."""


class Admitted(NamedTuple):
    """A raster file that may be opened."""

    format: Format
    files: frozenset[Path]
    """All rasters that GDAL may read with it, absolute: sidecars, and the files of a VRT with theirs."""


def admit(path: Path, depth: int = 0) -> Admitted:
    """Return the format of a file, and the other rasters that GDAL may read with it; these are opened and checked.

    Raises
    ------
    DataError
        When it is of no accepted format, or GDAL would open a file that is not accepted.
    OSError
    """
    if depth > DEEPEST:
        raise DataError(path, "VRTs of VRTs, nested more deeply", f"at most {DEEPEST} levels", "Mosaic the rasters.")
    require_file(path)
    file_format = format_of(path)
    sidecars = _sidecars(path)
    for sidecar in sidecars:
        require_file(sidecar)
        _require_plain_raster(path, sidecar)
    parts = files_of(path) if file_format is VRT else []
    files = {*map(_absolute, sidecars)}
    for part in parts:
        status = part.stat()
        files |= {_absolute(part), *_admit_part(part, status.st_size, status.st_mtime_ns, depth + 1)}
    return Admitted(file_format, frozenset(files))


def require_file(path: Path) -> None:
    """Refuse everything but a regular file: GDAL would wait for a pipe, and read a device without end."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if _ADDRESS.match(str(path)):
            remedy = "Download or unpack it, and give the path of the file."
            raise DataError(path, "an address", "a raster file of this machine", remedy) from None
        raise DataError(path, absence(path), "a raster file", "Check the path.") from None
    except (OSError, ValueError) as error:  # a name that is too long, a loop of links, a null character
        raise DataError(path, deepest_cause(error), "a raster file", "Check the path.") from None
    if stat.S_ISDIR(mode):
        raise DataError(path, "a directory", "a raster file", "Check the path.")
    if not stat.S_ISREG(mode):
        raise DataError(path, "a pipe or a device", "a raster file", "Write its content to a file first.")


def require_admitted(source: rasterio.DatasetReader, path: Path, admitted: Admitted) -> None:
    """Require that an open raster reads no other files than the checks before know of, and that its size is bounded.

    Raises
    ------
    DataError
    """
    # Before anything else: GDAL opens this file when it is asked for files, masks or overviews.
    if overviews := source.tags(ns="OVERVIEWS").get(_OVERVIEWS):
        remedy = "Remove the tag, or the .aux.xml file that has it, if you trust the file."
        raise DataError(path, f"overviews in {overviews[:100]}", "overviews in the file or in its .ovr", remedy)
    admitted_files = {*admitted.files, _absolute(path)}
    for name in source.files:
        file = _absolute(Path(name))
        beside = file.parent == _absolute(path).parent and admitted.format is not VRT
        if not (beside or file in admitted_files or file.name == f"{path.name}.aux.xml"):
            raise DataError(path, f"{name[:100]}, which it reads", "no other files, or those of a VRT", "Get it anew.")
    require_bounded(source, path, sum(file.stat().st_size for file in {path, *admitted.files} if file.exists()))


@lru_cache(maxsize=2**17)
def _admit_part(path: Path, size: int, modified: int, depth: int) -> frozenset[Path]:
    """Check a file of a VRT; size and time are part of the cache's key, so that a changed file is checked anew."""
    admitted = admit(path, depth)
    with opened(path, admitted) as source:
        require_admitted(source, path, admitted)
    return admitted.files


def opened(path: Path, admitted: Admitted) -> rasterio.DatasetReader:
    """Open an admitted file with the driver of its format alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        # Absolute: beside a relative path, GDAL takes names in an .img, of files for its pixels, for addresses too.
        return rasterio.open(_absolute(path), driver=admitted.format.driver)


def _sidecars(path: Path) -> list[Path]:
    """Return the rasters beside a file that GDAL opens with it; it takes their names in any case."""
    folder = path.parent
    names = [f"{path.name}{suffix}".lower() for suffix in _SIDECARS]
    sidecars = [folder / name for name in _listing(folder, folder.stat().st_mtime_ns) if name.lower() in names]
    # One of a sidecar's own may follow, as .ovr.msk; beside each of these lies the file that it belongs to.
    return [*sidecars, *(more for sidecar in sidecars for more in _sidecars(sidecar))]


@lru_cache(maxsize=8)
def _listing(folder: Path, modified: int) -> tuple[str, ...]:
    """Return the names in a folder that may be sidecars."""
    return tuple(name for name in os.listdir(folder) if name.lower().endswith(_SIDECARS))


def _require_plain_raster(path: Path, sidecar: Path) -> None:
    expected, remedy = f"a GeoTIFF, as GDAL reads it with {path.name}", "Remove it, or make it anew with GDAL."
    try:
        content = format_of(sidecar)
    except DataError as error:
        raise DataError(sidecar, error.found, expected, remedy) from None
    if content.driver not in _SIDECAR_DRIVERS:
        raise DataError(sidecar, content.title, expected, remedy)
    admitted = Admitted(content, frozenset())
    with opened(sidecar, admitted) as source:
        require_admitted(source, sidecar, admitted)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))
