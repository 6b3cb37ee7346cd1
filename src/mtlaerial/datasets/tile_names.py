"""Numbers in the names of tiles."""

import re

from mtlaerial.errors import ConfigError


def numbers(pattern: str, name: str) -> dict[str, int]:
    """Return the whole numbers in a tile's name.

    Parameters
    ----------
    pattern : str
        How tiles are named: text with a key in braces for each number, e.g. ``r{row}c{column}``.
    name : str
        The tile's.

    Returns
    -------
    dict of key to int

    Raises
    ------
    ConfigError
        When the name is not like the pattern.
    """
    match = re.fullmatch(re.sub(r"\\{(\w+)\\}", r"(?P<\1>-?\\d+)", re.escape(pattern)), name)
    if match is None:
        raise ConfigError("splits", f"the tile {name}", f"names like {pattern}", "Correct its name.")
    return {key: int(value) for key, value in match.groupdict().items()}
