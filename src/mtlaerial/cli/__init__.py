"""The command line, on the library functions that the workflow's scripts call too."""

import logging
import sys

import typer

from mtlaerial.cli import dashboard, data, runs, training
from mtlaerial.errors import UserError
from mtlaerial.system import ranks
from mtlaerial.system.memory import as_memory_error
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
    """Run the command line; print an error that the user can mend as one sentence and exit with code 1.

    Of several processes only the main one logs its progress; all log errors.
    """
    level = logging.INFO if ranks.rank() == 0 else logging.ERROR
    terminal = logging.StreamHandler()
    terminal.addFilter(beside_bar)
    logging.basicConfig(level=level, format="%(message)s", handlers=[terminal])
    try:
        app()
    except UserError as error:
        typer.echo(f"Error: {as_memory_error(error) or error}", err=True)
        sys.exit(1)
    except Stopped as stopped:
        typer.echo(f"{stopped}. The same command goes on from there.", err=True)
        sys.exit(stopped.exit_code)
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        sys.exit(130)
    except Exception as error:
        if (explained := as_memory_error(error)) is None:
            raise
        typer.echo(f"Error: {explained}", err=True)
        sys.exit(1)
