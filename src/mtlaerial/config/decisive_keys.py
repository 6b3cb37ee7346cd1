"""Parts of the configuration that decide a stage of the workflow, by the table of keys and stages."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from mtlaerial.config.base import Section
from mtlaerial.config.configuration_stages import CONFIGURATION_STAGES
from mtlaerial.config.specification_stages import SPECIFICATION_STAGES
from mtlaerial.config.stages import Stage, Stages

STAGES: dict[str, Stages] = {**CONFIGURATION_STAGES, **SPECIFICATION_STAGES}
"""The stages that each key decides. ``params`` of the rules are derived from it, and the fingerprint of a training.

Paths, tile lists and fingerprints of archives, which are no plain keys, are added in
:mod:`mtlaerial.pipeline.decisive_params`.
"""


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
    """Yield dotted keys and values of nested mappings; mappings in a list have its indices as keys.

    >>> dict(flat_keys({"training": {"batch": 8, "augmentation": {"flip": True}}}))
    {'training.batch': 8, 'training.augmentation.flip': True}
    >>> dict(flat_keys({"classes": [{"values": [1, 2]}]}))
    {'classes.0.values': [1, 2]}
    """
    for key, value in data.items():
        nested = _mapping(value)
        if nested is None:
            yield f"{prefix}{key}", value
        else:
            yield from flat_keys(nested, f"{prefix}{key}.")


def default_keys(section: Section) -> dict[str, Any]:
    """Return the defaults of a section's keys, with dots, without the keys that have none.

    Those of sections in it are the defaults of the sections that it has, whatever stands there by default.
    """
    stated = section.model_dump(mode="json")
    fields = {name: item for name, item in type(section).model_fields.items() if name in stated}
    free = {
        name: item.get_default(call_default_factory=True) for name, item in fields.items() if not item.is_required()
    }
    defaults = dict(flat_keys(type(section).model_construct(**free).model_dump(mode="json", include=set(free))))
    for name in fields:
        for place, nested in _sections(name, getattr(section, name)):
            defaults |= {f"{place}.{key}": value for key, value in default_keys(nested).items()}
    return defaults


def _sections(place: str, value: Any) -> Iterator[tuple[str, Section]]:
    """Yield the sections that a key holds, one or a list of them, with their places."""
    if isinstance(value, Section):
        yield place, value
    elif isinstance(value, tuple):
        yield from ((f"{place}.{index}", item) for index, item in enumerate(value) if isinstance(item, Section))


def _mapping(value: Any) -> Mapping[str, Any] | None:
    """Return a mapping, or a list of mappings by index; None for any other value."""
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return {str(index): item for index, item in enumerate(value)}
    return value if isinstance(value, Mapping) else None


def indecisive(stage: Stage, names: Iterable[str], key: str = "") -> set[str]:
    """Return those of some names that are keys of the configuration, but do not decide a stage."""
    keys = {name: _joined(key, name) for name in names}
    return {name for name, full in keys.items() if full in STAGES and stage not in STAGES[full]}


_TABLES = "mtlaerial.config.configuration_stages or specification_stages"
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
        raise KeyError(f"{key}: name the stages that this key decides in {_TABLES}")
    return any(stage in stages for stages in below)


def _joined(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
