"""The section ``dashboard``: the live display of trainings."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PositiveFloat

from mtlaerial.config.base import Section

ADDRESS = r"^https?://[^/\s?#]+[^\s?#]*$"


def _address(text: str) -> str:
    if not re.fullmatch(ADDRESS, text) or not _has_port(text):
        raise ValueError("an address such as http://127.0.0.1:8097, without a token (docs/dashboard.md)")
    return text.rstrip("/")


def _has_port(text: str) -> bool:
    """Return whether an address has a host, and a port that exists where it has one."""
    try:
        address = urlsplit(text)
        return bool(address.hostname) and address.port != 0
    except ValueError:
        return False


class DashboardSpec(Section):
    """A Visdom server that shows trainings; without a server they run all the same."""

    url: Annotated[str, AfterValidator(_address), Field(json_schema_extra={"pattern": ADDRESS})] = (
        "http://127.0.0.1:8097"
    )
    """Its address without a token; ``mtlaerial dashboard`` starts a server there."""
    seconds: PositiveFloat = 5.0
    """Shortest time between updates."""
    samples: Annotated[int, Field(ge=0, le=8)] = 3
    """Patches shown beside their ground truth after each epoch."""
