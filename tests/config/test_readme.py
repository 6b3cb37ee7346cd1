"""The tables of config/README.md: every key of a data set with its default, as the models have it."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from mtlaerial.config import DatasetSpec
from support import tiny

README = (tiny.CONFIG / "README.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([\w.]+)` \| (.+?) \| ", README[README.index("## A data set:") :], re.MULTILINE))
"""The defaults of the page by key."""


def sections(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in sections(argument)]


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each key with its default, those of sections before those in them."""
    for name, field in model.model_fields.items():
        yield prefix + name, field.default
        for section in sections(field.annotation):
            yield from keys(section, f"{prefix}{name}.")


KEYS = dict(keys(DatasetSpec))


def test_the_page_has_every_key_of_a_data_set_and_no_other() -> None:
    assert set(ROWS) == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_the_page_gives_the_default_of_a_key(key: str) -> None:
    default = KEYS[key]
    if default is PydanticUndefined:
        assert ROWS[key] == "required"
    elif default in (None, "", (), {}):
        assert ROWS[key] == "none"
    else:
        stated = ROWS[key] if "{" in ROWS[key] else yaml.safe_load(ROWS[key])
        assert stated == (list(default) if isinstance(default, tuple) else default)
