"""Faults of keys of the configuration that a command's options stand for, in the names of these options."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from mtlaerial.errors import ConfigError


@contextmanager
def named_by_options(*keys: str) -> Iterator[None]:
    """Name options instead of keys in the block's faults of keys.

    Parameters
    ----------
    *keys : str
        Keys of the configuration that options stand for; that of ``min_area`` is ``--min-area``.

    Raises
    ------
    ConfigError
        That of the block. It names the option instead of the key at fault, and in its sentences instead of keys with an
        underscore: other keys are words of the language too.

    Examples
    --------
    >>> with named_by_options("min_hole", "min_area"):
    ...     raise ConfigError("vectorise, key min_hole", "3 m²", "at most min_area", "Lower it.")
    Traceback (most recent call last):
    mtlaerial.errors.ConfigError: --min-hole: found 3 m²; expected at most --min-area. Lower it.
    """
    try:
        yield
    except ConfigError as error:
        key = _first_key(error.where, keys)
        if key is None:
            raise
        sentences = (_with_options(text, keys) for text in (error.found, error.expected, error.remedy))
        raise ConfigError(_option(key), *sentences) from error


def _first_key(where: str, keys: Collection[str]) -> str | None:
    """Return the key among some that a fault's place names: ``PLACE, key KEY``, ``SECTION.KEY`` or ``KEY.0``."""
    path = where.rpartition(", key ")[2].split(".")
    return next((part for part in path if part in keys), None)


def _with_options(text: str, keys: Collection[str]) -> str:
    for key in keys:
        if "_" in key:
            text = re.sub(rf"(?<![.\w]){key}\b", _option(key), text)
    return text


def _option(key: str) -> str:
    return f"--{key.replace('_', '-')}"
