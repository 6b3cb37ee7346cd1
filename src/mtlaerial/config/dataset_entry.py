"""A data set of the project: where its specification and files are, and its changes of the recipe."""

from typing import Annotated, Any

from pydantic import Field

from mtlaerial.config.base import Section
from mtlaerial.config.layers import Layer
from mtlaerial.config.method import Name
from mtlaerial.config.names import PlainPath
from mtlaerial.config.numbers import Metres

Side = Annotated[int, Field(ge=64, le=65_536)]
"""Pixels along a side of a generated tile."""


class Generation(Section):
    """Options of the generator of a data set."""

    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    size: Side | tuple[Side, Side] = 512
    """Side of each tile in image pixels, or its rows and columns."""
    vary: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest share by which rows and columns of a tile differ from ``size``; 0 for tiles of equal size."""
    ground_truth_gsd: dict[Layer, Metres] = {}
    """Pixel size in metres of height and labels, a multiple of the image's; by default as the image."""


class DatasetEntry(Section):
    """A data set of the project."""

    spec: PlainPath
    """Its specification."""
    root: PlainPath
    """Folder of its files."""
    generate: Generation | None = None
    """Generate its files instead of expecting a download."""
    hold_out: tuple[str, ...] = ()
    """Training tiles that are used for validation instead."""
    methods: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    """Methods to run on the data set; by default those of ``run.methods``."""
    recipe: dict[str, Any] = {}
    """Changes to ``training``, ``prediction`` and ``scoring`` for the data set, after those of its specification."""
    overrides: dict[Name, dict[str, Any]] = {}
    """Changes to the same for single methods on the data set, after the methods' own ``overrides``."""
