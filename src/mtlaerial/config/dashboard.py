"""The section ``dashboard``: the live display of trainings."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, PositiveFloat

from mtlaerial.config.base import Section

ADDRESS = r"^https?://[^/\s?#]+[^\s?#]*$"


def _address(text: str) -> str:
    if not re.fullmatch(ADDRESS, text):
        raise ValueError("an address such as http://127.0.0.1:8097")
    return text.rstrip("/")


class DashboardSpec(Section):
    """A Visdom server that shows trainings; without a server they run all the same."""

    url: Annotated[str, AfterValidator(_address), Field(json_schema_extra={"pattern": ADDRESS})] = (
        "http://127.0.0.1:8097"
    )
    """Its address; ``mtlaerial dashboard`` starts a server there."""
    seconds: PositiveFloat = 5.0
    """Shortest time between updates."""
    samples: Annotated[int, Field(ge=0, le=8)] = 3
    """Patches shown beside their ground truth after each epoch."""
