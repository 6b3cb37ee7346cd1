"""A data set of the project: where its specification and files are, and its changes of the recipe."""

from typing import Annotated, Any

from pydantic import Field

from mtlaerial.config.base import Section
from mtlaerial.config.generation import Generation
from mtlaerial.config.method import Name
from mtlaerial.config.names import PlainPath


class DatasetEntry(Section):
    """A data set of the project."""

    spec: PlainPath
    """Its specification: a shipped name, else a path from the working directory, else from the workflow's folder."""
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
