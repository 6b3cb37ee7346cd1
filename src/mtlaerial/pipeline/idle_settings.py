"""Options ``--set`` that the scores of trained runs do not depend on."""

from collections.abc import Mapping
from typing import Any

from mtlaerial.config import Blend
from mtlaerial.config.decisive_keys import flat_keys

SCORED = ("scoring", "datasets", "methods")
"""Sections that may change the scoring."""


def idle_settings(settings: Mapping[str, Any], blend: Blend | None) -> list[str]:
    """Return the keys that change nothing of the scores; those of predictions do only with a blend.

    Examples
    --------
    >>> idle_settings({"training": {"epochs": 2}, "scoring": {"height_bins": [3]}}, None)
    ['training.epochs']
    """
    sections = (*SCORED, "prediction") if blend else SCORED
    return [key for key, _ in flat_keys(settings) if key.partition(".")[0] not in sections]
