"""Tile names: grid cells and coordinates encoded in them."""

import re

from mtlaerial.errors import ConfigError


def parse_tile_name(pattern: str, name: str) -> dict[str, int]:
    """Return the integers in a tile's name by key.

    Parameters
    ----------
    pattern : str
        Pattern of the names, with a key in braces for each integer, e.g. ``r{row}c{column}``.
    name : str
        The tile's name.

    Returns
    -------
    dict of key to int

    Raises
    ------
    ConfigError
        When the name does not match the pattern.
    """
    # re.escape writes the braces of a key as \{ and \}.
    expression = re.sub(r"\\{(\w+)\\}", r"(?P<\1>-?\\d+)", re.escape(pattern))
    match = re.fullmatch(expression, name)
    if match is None:
        raise ConfigError("splits", f"the tile {name}", f"names like {pattern}", "Correct its name.")
    return {key: int(value) for key, value in match.groupdict().items()}
