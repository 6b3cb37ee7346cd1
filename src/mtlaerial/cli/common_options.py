"""Options that stand before a command: how much is logged, and the version."""

import logging
from typing import Annotated

import typer

from mtlaerial.system import ranks
from mtlaerial.system.progress import hide_bars
from mtlaerial.version import __version__

Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log details too, and the traceback of an error.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Log warnings and errors alone, without progress bars.")]


def _print_version(chosen: bool) -> None:
    if chosen:
        typer.echo(f"mtlaerial {__version__}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")]


def set_options(verbose: Verbose = False, quiet: Quiet = False, version: Version = False) -> None:
    """Semantics and height from one aerial image, by multi-task learning."""
    if quiet:
        hide_bars()
    if ranks.rank() != 0:  # of several processes the main one alone logs its progress
        return
    if quiet:
        logging.getLogger().setLevel(logging.WARNING)
    elif verbose:
        logging.getLogger("mtlaerial").setLevel(logging.DEBUG)
