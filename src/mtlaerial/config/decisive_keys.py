"""Parts of the configuration that decide a stage of the workflow, by the table of keys and stages."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from mtlaerial.config.base import Section
from mtlaerial.config.stages import STAGES, Stage


def decisive(stage: Stage, section: Section, key: str = "") -> dict[str, Any]:
    """Return the part of a section that decides a stage, as plain data.

    Parameters
    ----------
    stage : Stage
    section : Section
    key : str
        The section's key in the table; empty for the specification of a data set.

    Raises
    ------
    KeyError
        For a key of the section that the table lacks.
    """
    part = _part(stage, section.model_dump(mode="json"), key)
    return part if isinstance(part, dict) else {}


def flat_keys(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted keys and values of nested mappings.

    >>> dict(flat_keys({"training": {"batch": 8, "augmentation": {"flip": True}}}))
    {'training.batch': 8, 'training.augmentation.flip': True}
    """
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from flat_keys(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def default_values(section: Section) -> dict[str, Any]:
    """Return the defaults of a section's keys as plain data, without the keys that have none."""
    fields = type(section).model_fields.items()
    defaults = {name: item.get_default(call_default_factory=True) for name, item in fields if not item.is_required()}
    return type(section).model_construct(**defaults).model_dump(mode="json", include=set(defaults))


def indecisive(stage: Stage, names: Iterable[str], key: str = "") -> set[str]:
    """Return those of some names that are keys of the configuration, but do not decide a stage."""
    keys = {name: _joined(key, name) for name in names}
    return {name for name, full in keys.items() if full in STAGES and stage not in STAGES[full]}


_LEFT_OUT = object()
"""Mark of values that do not decide a stage; None is a value."""


def _part(stage: Stage, value: Any, key: str) -> Any:
    """Return the part of a value that decides a stage, or ``_LEFT_OUT``."""
    if not _decides(stage, key):
        return _LEFT_OUT
    if key in STAGES or value is None:
        return value
    if isinstance(value, list):
        return [_part(stage, item, key) for item in value]
    parts = {name: _part(stage, item, _joined(key, name)) for name, item in value.items()}
    return {name: part for name, part in parts.items() if part is not _LEFT_OUT}


@cache
def _decides(stage: Stage, key: str) -> bool:
    """Tell whether a key or, of a section, one of its keys decides a stage."""
    below = [stages for name, stages in STAGES.items() if name == key or name.startswith(_joined(key, ""))]
    if not below:
        raise KeyError(f"{key}: name the stages that this key decides in mtlaerial.config.stages")
    return any(stage in stages for stages in below)


def _joined(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
