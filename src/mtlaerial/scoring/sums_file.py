"""Files of sums beside the maps of a tile, which the meters of a prediction write."""

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mtlaerial.errors import DataError


def load_sums(path: Path, kind: Any, expected: str) -> Any:
    """Read sums of a type; empty without the file, as for maps of other programs.

    Parameters
    ----------
    path : Path
    kind : type
        A dictionary type, validated by pydantic.
    expected : str
        Its content in words, for messages.

    Raises
    ------
    DataError
        When the file is not valid in this version.
    """
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes()) if path.exists() else {}
    except ValidationError as error:
        raise DataError(path, error.errors()[0]["msg"], expected, "Predict again.") from None
