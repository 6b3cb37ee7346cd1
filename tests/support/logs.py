"""Messages that a test caused."""

import pytest


def messages(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    """Return the texts of one level."""
    return [record.getMessage() for record in caplog.records if record.levelno == level]
