"""Inputs of a prediction: files, folders, patterns, lists, indexes and addresses, as one list of images."""

import glob
import logging
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from mtlaerial.errors import DataError, UserError, system_reason
from mtlaerial.maps.stac_item import ITEM
from mtlaerial.prediction.image_index import INDEXES, indexed_images
from mtlaerial.rasters.formats import FORMATS, VRT

log = logging.getLogger(__name__)
_SUFFIXES = tuple(suffix for each in FORMATS if each is not VRT for suffix in each.suffixes)
"""Endings of images in a folder. A VRT there shows images that lie beside it once more."""
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_LARGEST_LIST = 64 * 2**20
"""Largest list of images in bytes; one of a million paths has some 60 MB."""


@dataclass(frozen=True)
class ImageInput:
    """An image to predict from: the path of a file, or an address on the web."""

    location: str

    @property
    def remote(self) -> bool:
        """Whether it is an address."""
        return bool(_ADDRESS.match(self.location))

    @property
    def path(self) -> Path:
        """The file; of an address one of the same name."""
        return Path(unquote(urlsplit(self.location).path) or "image") if self.remote else Path(self.location)

    @property
    def stem(self) -> str:
        """Name of the folder of its maps among those of several images."""
        return self.path.stem or "image"


class ImageInputs(NamedTuple):
    """Images, and whether they are several: a single file or address may have its maps straight in the folder."""

    images: list[ImageInput]
    several: bool


def find_images(arguments: Sequence[str], own_folders: bool = True) -> ImageInputs:
    """Return the images that arguments of the command line name, each once, in their order.

    Parameters
    ----------
    arguments : sequence of str
        Files, ``http:`` or ``https:`` addresses, folders (the images in it, not in folders below), patterns with ``*``,
        ``?``, ``[...]`` or ``**``, lists (``.txt``, or any file after ``@``: a location per line, relative to the
        current folder), and indexes: vector files of footprints with the field ``location``.
    own_folders : bool
        Whether maps of several images get a folder for each, of the image's name.

    Raises
    ------
    UserError
        When an argument names nothing, or two images have the same name, as their maps would have one folder.
    """
    images: dict[str, ImageInput] = {}
    repeated = 0
    for argument in arguments:
        for image in _named_by(argument):
            identity = image.location if image.remote else os.path.abspath(image.location)
            repeated += identity in images
            images.setdefault(identity, image)
    if repeated:
        log.info("%d images are named more than once, and predicted once", repeated)
    several = len(arguments) > 1 or not _is_image(arguments[0])
    if several and own_folders:
        _require_different_names(list(images.values()))
    return ImageInputs(list(images.values()), several)


def _named_by(argument: str) -> Iterator[ImageInput]:
    """Yield the images that an argument names."""
    path = Path(argument)
    if _ADDRESS.match(argument):
        yield ImageInput(argument)
    elif _is_list(argument):
        for line in _lines(Path(argument.removeprefix("@"))):
            if _is_list(line):
                raise DataError(argument, f"the list {line} in a list", "images, folders or indexes", "Join the lists.")
            yield from _named_by(line)
    elif path.is_dir():
        yield from map(ImageInput, _images_in(path))
    elif path.suffix.lower() in INDEXES:
        yield from map(ImageInput, indexed_images(path))
    elif not path.exists() and glob.has_magic(argument):
        yield from map(ImageInput, _matching(argument))
    else:
        yield ImageInput(argument)


def _is_image(argument: str) -> bool:
    """Tell whether an argument is a single file or address."""
    path = Path(argument)
    if _ADDRESS.match(argument):
        return True
    pattern = not path.exists() and glob.has_magic(argument)
    return not (_is_list(argument) or path.is_dir() or path.suffix.lower() in INDEXES or pattern)


def _is_list(argument: str) -> bool:
    return argument.startswith("@") or (argument.lower().endswith(".txt") and not _ADDRESS.match(argument))


def _lines(path: Path) -> list[str]:
    """Return the locations of a list; empty lines and those that begin with # say nothing."""
    try:
        if path.stat().st_size > _LARGEST_LIST:
            raise DataError(path, "a larger file", f"a list of at most {_LARGEST_LIST // 2**20} MB", "Divide it.")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise DataError(path, system_reason(error), "a list of images", "Check the path.") from None
    except UnicodeDecodeError:
        remedy = "Write a location per line, in UTF-8."
        raise DataError(path, "bytes that are no text", "a list of images", remedy) from None
    stripped = [line.strip() for line in lines]
    locations = [line for line in stripped if line and not line.startswith("#")]
    if not locations:
        raise DataError(path, "a list without images", "a location per line", "Add them.")
    return locations


def _images_in(folder: Path) -> list[str]:
    """Return the images in a folder; say what else is left out."""
    # Names alone, without an object for each: a folder may have a hundred thousand, and plans read it each time.
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name[0] != "." and not entry.is_dir())
    except OSError as error:
        raise DataError(folder, system_reason(error), "a folder of images", "Check the path.") from None
    images = [os.path.join(folder, name) for name in names if name.lower().endswith(_SUFFIXES)]
    vrts = sum(name.lower().endswith(VRT.suffixes) for name in names)
    others = len(names) - len(images) - vrts
    if not images:
        remedy = f"Name the files, or a pattern: {folder}/**/*.tif"
        raise DataError(folder, "a folder without images", f"files of {', '.join(_SUFFIXES)}", remedy)
    notes = [f"{vrts} VRTs (name them to predict from them)"] if vrts else []
    notes += [f"{others} other files"] if others else []
    log.info("%s: %d images%s", folder, len(images), f"; left out are {' and '.join(notes)}" if notes else "")
    return images


def _matching(pattern: str) -> list[str]:
    """Return the files that match a pattern, without maps, which a second call may find below the first one's --out."""
    matches = sorted(path for path in glob.glob(pattern, recursive=True) if not Path(path).is_dir())
    files = [path for path in matches if not (Path(path).parent / ITEM).exists()]
    if len(files) < len(matches):
        log.info("%s: %d files are left out, as they are maps", pattern, len(matches) - len(files))
    if not files:
        raise UserError(pattern, "no file that matches", "a pattern of images", "Check it, and the current folder.")
    return files


def _require_different_names(images: Sequence[ImageInput]) -> None:
    """Refuse two images whose maps would have the same folder, also where file names do not tell cases apart."""
    folders: dict[str, ImageInput] = {}
    for image in images:
        first = folders.setdefault(image.stem.casefold(), image)
        if first is not image:
            observed = f"the images {first.location} and {image.location}"
            remedy = "Rename one of them, or predict them one by one, each into its own --out."
            raise UserError("INPUT", observed, "a name for each, as their maps get a folder of that name", remedy)
