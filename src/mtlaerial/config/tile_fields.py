"""Fields of tile names in patterns of paths: ``{tile}``, or parts of the name, such as ``{row:02}``."""

import re
from collections.abc import Iterable

from mtlaerial.config.faults import Unfit
from mtlaerial.errors import ConfigError

FIELD = re.compile(r"\{([a-z]\w*)(?::0([1-9]))?\}")
"""A field: its name, and the digits that a number is padded to with zeros."""
WILDCARD = "*"
"""In the name of a tile: any characters, so that the name stands for the tiles whose images exist."""


def is_per_tile(pattern: str) -> bool:
    """Tell whether a pattern is of a file per tile; otherwise it is one of a mosaic.

    Examples
    --------
    >>> is_per_tile("{city}/{tile}.tif"), is_per_tile("lidar/dsm.tif")
    (True, False)
    """
    return "{" in pattern


def has_wildcard(tile: str) -> bool:
    """Tell whether the name of a tile stands for several."""
    return WILDCARD in tile


def tile_fields(tile_name: str, tile: str) -> dict[str, str]:
    """Return the parts of a tile's name by field.

    A part begins with a letter or a digit and has no slash, so that it cannot lead out of a folder.

    Parameters
    ----------
    tile_name : str
        The pattern of names, such as ``{city}_{east}_{north}``.
    tile : str

    Raises
    ------
    ConfigError
        When the name does not match.

    Examples
    --------
    >>> tile_fields("{city}_{east}_{north}", "aachen_293_5629")
    {'city': 'aachen', 'east': '293', 'north': '5629'}
    """
    match = match_name(tile_name, tile)
    if match is None:
        raise ConfigError("tile_name", f"the tile {tile}", f"names like {tile_name}", "Correct one of them.")
    return match.groupdict()


def match_name(tile_name: str, tile: str) -> re.Match[str] | None:
    """Return the match of a tile's name with the pattern of names; None where it does not match."""
    expression = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^\\W_][^/\\\\]*?)", re.escape(tile_name))
    return re.fullmatch(expression, tile)


def fill(pattern: str, tile: str, tile_name: str = "") -> str:
    """Return the path that a pattern gives for a tile.

    Parameters
    ----------
    pattern : str
        Path with ``{tile}`` or with fields of ``tile_name``.
    tile : str
    tile_name : str, optional
        The pattern of tile names.

    Examples
    --------
    >>> fill("dsm_{row:02}_{column:02}.jpg", "2_10", "{row}_{column}")
    'dsm_02_10.jpg'
    """
    fields = {"tile": tile}
    if any(name != "tile" for name, _ in FIELD.findall(pattern)):
        fields |= tile_fields(tile_name, tile)
    return FIELD.sub(lambda match: fields[match[1]].zfill(int(match[2] or 0)), pattern)


def require_tile_name(tile_name: str) -> None:
    """Refuse a pattern of tile names without fields, with one twice, or with two that nothing parts.

    Raises
    ------
    Unfit
    """
    fields = [name for name, digits in FIELD.findall(tile_name) if not digits]
    rest = FIELD.sub("", tile_name)
    twice = len(set(fields)) < len(fields) or "tile" in fields
    if not fields or twice or "}{" in tile_name or re.search("[{}/]", rest):
        expected = "fields in braces, each once, with something between them, such as {city}_{east}_{north}"
        raise Unfit("tile_name", repr(tile_name), expected, "Correct the pattern.")


def require_known_fields(key: str, patterns: Iterable[str], tile_name: str | None) -> None:
    """Refuse a pattern with a field that names of tiles do not have.

    Raises
    ------
    Unfit
    """
    fields = ["tile", *(name for name, _ in FIELD.findall(tile_name or ""))]
    for pattern in patterns:
        unknown = [name for name, _ in FIELD.findall(pattern) if name not in fields]
        if unknown:
            expected = "{tile}, or fields of tile_name" + (f" ({', '.join(fields[1:])})" if tile_name else "")
            raise Unfit(key, f"{{{unknown[0]}}} in {pattern}", expected, "Correct the path, or state tile_name.")
