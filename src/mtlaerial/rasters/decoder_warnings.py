"""Warnings of GDAL's decoders, as errors: a damaged JPEG strip is decoded to wrong pixels, and GDAL only warns."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mtlaerial.errors import DataError

_METADATA = ("TIFFReadDirectory", "TIFFFetch", "TIFFReadCustomDirectory")
"""Beginnings of warnings about a TIFF's tags, which pixels do not depend on; a VRT opens its files while it reads."""

_LOGGERS = ("rasterio._err", "rasterio._env")
"""Loggers of GDAL's warnings, in the thread that reads."""


class _Collector(logging.Handler):
    """Collects the warnings of one thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.thread = threading.get_ident()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message without GDAL's class of errors, e.g. ``CPLE_AppDefined:``."""
        message = record.getMessage().removeprefix("CPLE_AppDefined").removeprefix(" in").lstrip(": ")
        if record.thread == self.thread and not message.startswith(_METADATA):
            self.messages.append(message)


@contextmanager
def decoding(path: str) -> Iterator[None]:
    """Raise an error if GDAL warns while the block decodes pixels of a raster.

    Raises
    ------
    DataError
    """
    collector = _Collector()
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addHandler(collector)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(collector)
    if collector.messages:
        remedy = "Get the file anew; if its pixels look right everywhere, write them anew: rio convert FILE NEW.tif."
        raise DataError(path, f"damaged pixels ({collector.messages[0]})", "pixels that decode cleanly", remedy)
