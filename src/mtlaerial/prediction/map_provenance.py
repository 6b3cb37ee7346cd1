"""Provenance of maps: tags of their files and properties of their STAC Item that name image, run and training data."""

from collections.abc import Mapping
from typing import Any

from mtlaerial.runs.run import RunDescription

SOURCE_ID = "SOURCE_ID"
"""Part of the origin that the STAC Item alone has: maps of equal images are the same bytes, whatever their files."""

TRAINED_ON = "TRAINED_ON"


def map_tags(description: RunDescription, origin: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of maps of an image by a run."""
    named = {key: value for key, value in origin.items() if key != SOURCE_ID}
    return {"MTLAERIAL": description.mtlaerial, **named, TRAINED_ON: training_data(description)}


def training_data(description: RunDescription) -> str:
    """Return the title of the data that a run was trained on, and whether they are generated."""
    statistics = description.statistics
    return statistics.title + (" (generated data)" if statistics.generated else "")


def item_properties(description: RunDescription, origin: Mapping[str, str]) -> dict[str, Any]:
    """Return the properties of the STAC Item that say which run mapped which image."""
    title = f"{origin.get('IMAGE', 'an image')} mapped by {description.name}"
    return {
        "title": title,
        "description": f"Predicted by a network that was trained on {training_data(description)}.",
        "processing:software": {"mtlaerial": description.mtlaerial},
        **{f"mtlaerial:{key.lower()}": value for key, value in origin.items()},
    }
