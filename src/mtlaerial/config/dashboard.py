"""Where trainings are shown while they run."""

from typing import Annotated

from pydantic import AfterValidator, Field, PositiveFloat

from mtlaerial.config.base import Section


class DashboardSpec(Section):
    """A Visdom server that shows trainings; it need not be there."""

    url: Annotated[str, Field(pattern=r"^https?://[^/\s?#]+[^\s?#]*$"), AfterValidator(lambda url: url.rstrip("/"))] = (
        "http://127.0.0.1:8097"
    )
    """Where it is; ``mtlaerial dashboard`` starts one here."""
    seconds: PositiveFloat = 5.0
    """Between updates, at least."""
    samples: Annotated[int, Field(ge=0, le=8)] = 3
    """Patches that are shown after each epoch beside their truth."""
