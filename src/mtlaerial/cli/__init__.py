"""The command line: the same functions that the workflow's scripts call."""

import logging
import sys

import typer

from mtlaerial import ranks
from mtlaerial.cli import data, runs, training
from mtlaerial.errors import UserError

app = typer.Typer(
    name="mtlaerial",
    help="Semantics and height from one aerial image, by multi-task learning.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

for module in (data, training, runs):
    app.add_typer(module.commands)


def main() -> None:
    """Run the command line; an error that the user can mend ends in one sentence and exit code 1.

    Of several processes the main one tells what it does; the others speak only of errors.
    """
    level = logging.INFO if ranks.rank() == 0 else logging.ERROR
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr)
    try:
        app()
    except UserError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        sys.exit(130)
