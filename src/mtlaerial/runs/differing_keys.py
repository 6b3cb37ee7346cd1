"""The difference of two recipes in words."""

from collections.abc import Iterator, Mapping
from typing import Any

SHOWN = 3
"""Most differing keys that a text names."""


def differing_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return how nested plain data differ, by dotted keys; empty where they are the same.

    Examples
    --------
    >>> differing_keys({"training": {"patch": 64, "batch": 8}}, {"training": {"patch": 32, "batch": 8}})
    'training.patch 64 instead of 32'
    """
    flat_before, flat_after = dict(_flat(before)), dict(_flat(after))
    keys = [key for key in {**flat_before, **flat_after} if flat_before.get(key) != flat_after.get(key)]
    changes = [f"{key} {flat_before.get(key)} instead of {flat_after.get(key)}" for key in keys[:SHOWN]]
    more = [f"{len(keys) - SHOWN} more keys"] if len(keys) > SHOWN else []
    return ", ".join([*changes, *more])


def _flat(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted keys and values of nested mappings."""
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
