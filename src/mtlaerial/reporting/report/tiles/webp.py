"""WebP files of a picture: the whole one, and a preview for the page."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mtlaerial.system.files import writing

QUALITY, PREVIEW_QUALITY = 85, 75
"""Of pictures whose colours are continuous; those of classes are lossless."""
EFFORT = 2
"""Of 0 to 6: beyond, files are a few per cent smaller and take several times as long."""
Size = tuple[int, int]
"""Width and height in pixels."""


def write_pictures(pixels: NDArray[np.uint8], full: Path, preview: Path, side: int, flat: bool) -> tuple[Size, Size]:
    """Write a picture and its preview; the same pixels give the same bytes.

    Parameters
    ----------
    pixels : array of uint8, shape (rows, columns, 4)
        RGBA.
    full, preview : Path
        The files to write.
    side : int
        Largest width and height of the preview.
    flat : bool
        Whether colours are codes, which must not be mixed: then the files are lossless.

    Returns
    -------
    tuple of Size
        Of both pictures.
    """
    picture = Image.fromarray(pixels)
    if pixels[..., 3].all():
        picture = picture.convert("RGB")
    _save(picture, full, QUALITY, flat)
    small = _reduced(picture, side, flat)
    _save(small, preview, PREVIEW_QUALITY, flat)
    return picture.size, small.size


def _reduced(picture: Image.Image, side: int, flat: bool) -> Image.Image:
    scale = side / max(picture.size)
    if scale >= 1:
        return picture
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    if flat:
        return picture.resize(size, Image.Resampling.NEAREST)
    if picture.mode == "RGB":
        return picture.resize(size, Image.Resampling.BOX)
    # Colours weigh by their opacity, lest no-data darkens what lies beside it.
    return picture.convert("RGBa").resize(size, Image.Resampling.BOX).convert("RGBA")


def _save(picture: Image.Image, path: Path, quality: int, lossless: bool) -> None:
    with writing(path) as partial:
        # Lossless: quality is the effort.
        picture.save(partial, format="WEBP", quality=40 if lossless else quality, method=EFFORT, lossless=lossless)
