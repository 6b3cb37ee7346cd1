"""The command line, on the library functions that the workflow's scripts call too."""

import logging
import sys
from typing import Annotated

import typer

from mtlaerial.cli import accuracy, dashboard, data, objects, prediction, project, runs, training
from mtlaerial.cli.verbosity import set_verbosity
from mtlaerial.errors import UserError
from mtlaerial.system import ranks
from mtlaerial.system.memory import as_memory_error
from mtlaerial.system.progress import TerminalHandler, say
from mtlaerial.system.signals import Stopped
from mtlaerial.version import __version__

app = typer.Typer(
    name="mtlaerial",
    callback=set_verbosity,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

for module in (project, data, training, dashboard, prediction, runs, objects, accuracy):
    app.add_typer(module.commands)


def _print_version(chosen: bool) -> None:
    if chosen:
        typer.echo(f"mtlaerial {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; print an error that the user can mend as one sentence and exit with code 1.

    Of several processes only the main one logs its progress; all log errors.
    """
    level = logging.INFO if ranks.rank() == 0 else logging.ERROR
    logging.basicConfig(level=level, format="%(message)s", handlers=[TerminalHandler()])
    logging.captureWarnings(True)  # a warning shall not run into a bar
    try:
        app()
    except UserError as error:
        logging.getLogger(__name__).debug("Where the error below comes from:", exc_info=True)
        say(f"Error: {as_memory_error(error) or error}")
        sys.exit(1)
    except Stopped as stopped:
        say(f"{stopped}. The same command goes on from there.")
        sys.exit(stopped.exit_code)
    except KeyboardInterrupt:
        say("Interrupted.")
        sys.exit(130)
    except Exception as error:
        if (explained := as_memory_error(error)) is None:
            raise
        say(f"Error: {explained}")
        sys.exit(1)
