"""Tiles of a mosaic: the sections ``grid`` and ``footprints`` of a data set."""

from typing import Self

from pydantic import model_validator

from mtlaerial.config.base import Section
from mtlaerial.config.layers import Patterns, require_fields
from mtlaerial.config.numbers import Extent


class GridSpec(Section):
    """Tiles cut from a mosaic by a regular grid."""

    size: tuple[Extent, Extent]
    """Rows and columns of a tile in image pixels; the last row and column of tiles may be smaller."""
    name: str = "r{row}c{column}"
    """Name of a tile; rows count from the north, columns from the west, both from 1."""

    @model_validator(mode="after")
    def _named_by_cell(self) -> Self:
        require_fields("name", self.name, ("row", "column"))
        return self


class FootprintSpec(Section):
    """Tiles cut from a mosaic by the bounds of polygons in a vector file."""

    files: Patterns
    """Vector file with the polygons."""
    column: str = "tile"
    """Attribute with the name of the tile."""
