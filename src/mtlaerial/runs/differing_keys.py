"""The difference of two recipes in words."""

from collections.abc import Mapping
from typing import Any

from mtlaerial.config.decisive_keys import flat_keys

SHOWN = 3
"""Most differing keys that a text names."""


def differing_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return how nested plain data differ, by dotted keys; empty where they are the same.

    Examples
    --------
    >>> differing_keys({"training": {"patch": 64, "batch": 8}}, {"training": {"patch": 32, "batch": 8}})
    'training.patch 64 instead of 32'
    """
    flat_before, flat_after = dict(flat_keys(before)), dict(flat_keys(after))
    keys = [key for key in {**flat_before, **flat_after} if flat_before.get(key) != flat_after.get(key)]
    changes = [f"{key} {flat_before.get(key)} instead of {flat_after.get(key)}" for key in keys[:SHOWN]]
    more = [f"{len(keys) - SHOWN} more keys"] if len(keys) > SHOWN else []
    return ", ".join([*changes, *more])
