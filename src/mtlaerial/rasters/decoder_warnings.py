"""Warnings of GDAL's decoders, as errors: a damaged JPEG strip is decoded to wrong pixels, and GDAL only warns."""

import logging
import shlex
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from mtlaerial.errors import DataError

_METADATA = ("TIFFReadDirectory", "TIFFFetch", "TIFFReadCustomDirectory")
"""Beginnings of warnings about a TIFF's tags, which pixels do not depend on; a VRT opens its files while it reads."""

_LOGGERS = ("rasterio._err", "rasterio._env")
"""Loggers of GDAL's warnings, in the thread that reads."""


class _Collector(logging.Filter):
    """Takes one thread's warnings out of the log, and collects them; with ``quiet``, drops all other records."""

    def __init__(self, quiet: bool) -> None:
        super().__init__()
        self.thread = threading.get_ident()
        self.quiet = quiet
        self.messages: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record stays in the log; collect others without GDAL's class of errors."""
        message = record.getMessage().removeprefix("CPLE_AppDefined").removeprefix(" in").lstrip(": ")
        if record.levelno < logging.WARNING or record.thread != self.thread or message.startswith(_METADATA):
            return not self.quiet
        self.messages.append(message)
        return False


@contextmanager
def _enabled(loggers: Sequence[logging.Logger]) -> Iterator[None]:
    """Enable warnings of loggers that the caller silenced: GDAL tells of damaged pixels in no other way."""
    levels, disabled = [logger.level for logger in loggers], logging.root.manager.disable
    logging.disable(logging.NOTSET)
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(disabled)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def decoding(path: str) -> Iterator[None]:
    """Raise an error if GDAL warns while the block decodes pixels of a raster.

    Raises
    ------
    DataError
    """
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    collector = _Collector(quiet=not all(logger.isEnabledFor(logging.WARNING) for logger in loggers))
    with _enabled(loggers) if collector.quiet else nullcontext():
        for logger in loggers:
            logger.addFilter(collector)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeFilter(collector)
    if collector.messages:
        remedy = (
            f"Get the file anew. If its pixels look right, write them anew: rio convert {' '.join(rewriting(path))}"
        )
        raise DataError(path, f"damaged pixels ({collector.messages[0]})", "pixels that decode cleanly", remedy)


def rewriting(path: str) -> tuple[str, str]:
    """Return a path and that of a new file beside it, quoted for commands in messages."""
    return shlex.quote(path), shlex.quote(str(Path(path).with_suffix("")) + "_new.tif")
