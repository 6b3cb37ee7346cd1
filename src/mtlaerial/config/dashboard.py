"""Where trainings are shown while they run."""

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
    """A Visdom server that shows trainings; it need not be there."""

    url: Annotated[str, AfterValidator(_address), Field(json_schema_extra={"pattern": ADDRESS})] = (
        "http://127.0.0.1:8097"
    )
    """Where it is; ``mtlaerial dashboard`` starts one here."""
    seconds: PositiveFloat = 5.0
    """Between updates, at least."""
    samples: Annotated[int, Field(ge=0, le=8)] = 3
    """Patches that are shown after each epoch beside their truth."""
