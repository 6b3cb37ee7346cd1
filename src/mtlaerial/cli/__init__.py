"""The command line: the same functions that the workflow's scripts call."""

import logging
import sys

import typer

from mtlaerial.cli import dashboard, data, runs, training
from mtlaerial.errors import UserError
from mtlaerial.system import ranks
from mtlaerial.system.progress import beside_bar
from mtlaerial.system.signals import Stopped

app = typer.Typer(
    name="mtlaerial",
    help="Semantics and height from one aerial image, by multi-task learning.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

for module in (data, training, dashboard, runs):
    app.add_typer(module.commands)


def main() -> None:
    """Run the command line; an error that the user can mend ends in one sentence and exit code 1.

    Of several processes the main one tells what it does; the others speak only of errors.
    """
    level = logging.INFO if ranks.rank() == 0 else logging.ERROR
    terminal = logging.StreamHandler()
    terminal.addFilter(beside_bar)
    logging.basicConfig(level=level, format="%(message)s", handlers=[terminal])
    try:
        app()
    except UserError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except Stopped as stopped:
        typer.echo(f"{stopped}. The same command goes on from there.", err=True)
        sys.exit(stopped.exit_code)
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        sys.exit(130)
