"""Options of all commands that say how much is logged."""

import logging
from typing import Annotated

import typer

from mtlaerial.system import ranks
from mtlaerial.system.progress import hide_bars

Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log details too, and the traceback of an error.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Log warnings and errors alone, without progress bars.")]


def set_verbosity(verbose: Verbose = False, quiet: Quiet = False) -> None:
    """Semantics and height from one aerial image, by multi-task learning."""
    if quiet:
        hide_bars()
    if ranks.rank() != 0:  # of several processes the main one alone logs its progress
        return
    if quiet:
        logging.getLogger().setLevel(logging.WARNING)
    elif verbose:
        logging.getLogger("mtlaerial").setLevel(logging.DEBUG)
