"""Maps of several images: a folder for each, finished ones skipped, a failed one named at the end."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from mtlaerial.errors import UserError
from mtlaerial.maps.stac_collection import COLLECTION, write_collection
from mtlaerial.maps.stac_item import ITEM
from mtlaerial.prediction.finished_maps import is_finished
from mtlaerial.prediction.image_inputs import ImageInput, ImageInputs
from mtlaerial.prediction.image_maps import image_origin, write_image_maps
from mtlaerial.prediction.image_match import match_image
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.prediction.map_origin import origin_tags, settings_id, source_id
from mtlaerial.prediction.map_provenance import SOURCE_ID
from mtlaerial.prediction.prediction_area import OutsideArea
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.system.download import fetch
from mtlaerial.system.download_limits import Limits
from mtlaerial.system.files import discard
from mtlaerial.system.progress import track

log = logging.getLogger(__name__)
DOWNLOADS = ".downloads"
"""Folder of images from the web while they are predicted."""
LIMITS = Limits(size=2**40, seconds=24 * 3600)
"""Of the download of an image: a terabyte, a day."""
_MOST_NAMED = 5
"""Most failed images that the last sentence names."""


@dataclass
class _Outcome:
    """Images by what has become of them."""

    folders: list[Path] = field(default_factory=list)
    skipped: int = 0
    outside: list[OutsideArea] = field(default_factory=list)
    failed: list[ImageInput] = field(default_factory=list)


def predict_images(
    predictor: Predictor, inputs: ImageInputs, out: Path, options: ImageOptions, replace_others: bool = False
) -> None:
    """Write the maps of images: those of a single file into ``out``, those of several into a folder each in ``out``.

    Of several images, those whose maps are finished are skipped, so that the same command goes on where it stopped. An
    image that fails is logged, and the others go on. ``collection.json`` is a STAC Collection of all that have maps.

    Parameters
    ----------
    predictor : Predictor
    inputs : ImageInputs
    out : Path
    options : ImageOptions
    replace_others : bool
        Replace maps of another image or another run.

    Raises
    ------
    UserError
        When the single image, or at least one of several, has failed; or none lies in the area.
    """
    if not inputs.several:
        _predict(predictor, inputs.images[0], out, options, replace_others)
        return
    outcome = _Outcome()
    for image in track(inputs.images, len(inputs.images), "predicting images", "image"):
        _try(predictor, image, out / image.stem, options, replace_others, outcome)
    if outcome.skipped:
        log.info("%d of %d images were finished and are skipped", outcome.skipped, len(inputs.images))
    if outcome.outside:
        log.info("%d of %d images have nothing of the area", len(outcome.outside), len(inputs.images))
    if outcome.folders:
        items = _items_by(predictor.description.sha256, out)
        write_collection(out, items, predictor.description.name)
        log.info("%s lists the maps by this run: %d", out / COLLECTION, len(items))
    _raise_failures(outcome, len(inputs.images))


def _items_by(run_id: str, out: Path) -> list[Path]:
    """Return the Items of all maps by a run in the folders below one, those of earlier calls too."""
    items = []
    for path in sorted(out.glob(f"*/{ITEM}")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            if json.loads(path.read_text(encoding="utf-8"))["properties"]["mtlaerial:run_id"] == run_id:
                items.append(path)
    return items


def _raise_failures(outcome: _Outcome, total: int) -> None:
    if outcome.failed:
        named = ", ".join(image.location for image in outcome.failed[:_MOST_NAMED])
        more = f" and {len(outcome.failed) - _MOST_NAMED} more" if len(outcome.failed) > _MOST_NAMED else ""
        observed = f"{len(outcome.failed)} of {total} images that have no new maps ({named}{more})"
        remedy = "The lines above say why. The same command goes on with these."
        raise UserError("INPUT", observed, "images that can be predicted from", remedy)
    if outcome.outside and not outcome.folders:
        raise outcome.outside[0]


def _try(
    predictor: Predictor, image: ImageInput, folder: Path, options: ImageOptions, replace_others: bool, done: _Outcome
) -> None:
    """Predict one of several images, and note what has become of it."""
    try:
        done.skipped += not _predict(predictor, image, folder, options, replace_others, resume=True)
        done.folders.append(folder)
    except OutsideArea as error:
        done.outside.append(error)
    except UserError as error:
        where = "" if image.location in error.where else f"{image.location}: "
        log.error("Not predicted: %s%s", where, error)
        done.failed.append(image)


def _predict(
    predictor: Predictor,
    image: ImageInput,
    folder: Path,
    options: ImageOptions,
    replace_others: bool,
    resume: bool = False,
) -> bool:
    """Write the maps of an image; return False where they are finished and ``resume`` leaves them."""
    address = image.location if image.remote else ""
    if resume and address and is_finished(folder, _known_origin(predictor, image, options), predictor.description):
        return False
    with _on_disk(image, folder) as path:
        matching = match_image(path, predictor.description, options)
        origin = image_origin(predictor, matching, address)
        if resume and is_finished(folder, origin, predictor.description):
            return False
        write_image_maps(predictor, matching, folder, origin, replace_others)
    return True


def _known_origin(predictor: Predictor, image: ImageInput, options: ImageOptions) -> dict[str, str]:
    """Return the tags that maps of an image from the web have, as far as they are known before it is fetched."""
    nodata = predictor.description.statistics.nodata
    settings = settings_id(predictor.prediction, options, predictor.calibration, nodata)
    origin = origin_tags(image.path, "", predictor.description, predictor.prediction)
    del origin["IMAGE_ID"]
    return {**origin, "SETTINGS_ID": settings, SOURCE_ID: source_id(image.path, image.location)}


@contextmanager
def _on_disk(image: ImageInput, folder: Path) -> Iterator[Path]:
    """Yield the file of an image; one from the web is fetched, and removed afterwards."""
    if not image.remote:
        yield image.path
        return
    place, new = folder / DOWNLOADS, not folder.exists()
    path = place / image.path.name
    try:
        fetch(image.location, path, limits=LIMITS)
        yield path
    finally:
        discard(path)
        with suppress(OSError):
            place.rmdir()
            if new:
                folder.rmdir()  # which fails where there are maps
