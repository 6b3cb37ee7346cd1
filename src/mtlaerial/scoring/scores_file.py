"""The file of a run's scores, ``scores.json``."""

import json
from pathlib import Path

from pydantic import ValidationError

from mtlaerial.errors import DataError
from mtlaerial.scoring.scores import FORMAT, Scores
from mtlaerial.system.file_format import require_format
from mtlaerial.system.files import write_text


def save_scores(scores: Scores, path: Path) -> None:
    """Write ``scores.json``."""
    unused = set() if scores.ensemble else {"ensemble", "ensemble_heights"}
    write_text(path, scores.model_dump_json(indent=1, exclude=unused))


def load_scores(path: Path) -> Scores:
    """Read ``scores.json``.

    Raises
    ------
    DataError
        When the file is of another format, or not valid.
    """
    remedy = "Delete the file, so that it is made again."
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(data, dict):
            require_format(path, data, FORMAT, remedy)
        return Scores.model_validate(data)
    except (ValueError, RecursionError) as error:
        raise DataError(path, _first_fault(error), "scores of this version", remedy) from None


def _first_fault(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
