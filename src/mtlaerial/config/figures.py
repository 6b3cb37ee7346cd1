"""The section ``figures``."""

from typing import Literal

from mtlaerial.config.base import Section

VectorFormat = Literal["svg", "pdf"]


class FiguresSpec(Section):
    """Options of the figures."""

    formats: tuple[VectorFormat, ...] = ("svg", "pdf")
    """Formats of each figure besides PNG, which the report shows."""
