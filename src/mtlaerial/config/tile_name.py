"""Names of tiles, which become names of files and folders."""

from typing import Annotated

from pydantic import AfterValidator

FORBIDDEN = "/\\{}"
"""Characters that separate folders, or mark fields of patterns and wildcards of the workflow."""


def require_tile_name(name: str) -> str:
    """Return the name of a tile.

    Raises
    ------
    ValueError
        When it cannot be the name of a file, or would lead out of the folder of the data set.

    Examples
    --------
    >>> require_tile_name("UH_NAD83_272056_3289689")
    'UH_NAD83_272056_3289689'
    """
    wrong = sorted({character for character in name if character in FORBIDDEN or not character.isprintable()})
    if wrong:
        characters = " ".join(character if character.isprintable() else repr(character) for character in wrong)
        raise ValueError(f"the name of a tile, which becomes the name of a folder, without {characters}")
    if not name or name.startswith(".") or name.strip() != name:
        raise ValueError("the name of a tile, with no dot or space at its beginning and no space at its end")
    return name


TileName = Annotated[str, AfterValidator(require_tile_name)]
