"""Sources of the page's pictures: data URIs as long as there is room on the page, else files beside it."""

import base64
import os
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

from PIL import Image

LARGEST_PAGE = 15_000_000
"""Bytes of the page with its pictures, which can still be sent by mail."""
FIGURE_QUALITY = 80


class Sources:
    """Addresses of pictures by their paths.

    Parameters
    ----------
    page : Path
        The page; files are addressed relative to its folder.
    """

    def __init__(self, page: Path) -> None:
        self._folder = page.parent.resolve()
        self._embedded: dict[Path, str] = {}
        self.left_out = 0
        """Pictures that found no room."""

    def link(self, path: Path) -> str:
        """Return the relative address of a file."""
        return quote(Path(os.path.relpath(path.resolve(), self._folder)).as_posix())

    def address(self, path: Path) -> str:
        """Return the data URI of a picture that is on the page, or else its relative address."""
        return self._embedded.get(path) or self.link(path)

    def embed(self, paths: Iterable[Path], room: int) -> None:
        """Put pictures on the page, in the order of their importance, as long as there is room for them in bytes."""
        for path in dict.fromkeys(paths):
            address = _data_uri(path)
            if len(address) <= room:
                self._embedded[path] = address
                room -= len(address)
            else:
                self.left_out += 1


def _data_uri(path: Path) -> str:
    """Return a WebP as it is, and a PNG recompressed, so that a page with a hundred figures still opens."""
    content = path.read_bytes() if path.suffix == ".webp" else _recompressed(path)
    return f"data:image/webp;base64,{base64.b64encode(content).decode('ascii')}"


def _recompressed(path: Path) -> bytes:
    buffer = BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").save(buffer, format="WEBP", quality=FIGURE_QUALITY, method=4)
    return buffer.getvalue()
