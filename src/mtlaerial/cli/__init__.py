"""The command line, on the library functions that the workflow's scripts call too."""

import logging
import sys

import typer

from mtlaerial.cli import accuracy, dashboard, data, objects, prediction, project, runs, training, viewer
from mtlaerial.cli.command_group import CommandGroup
from mtlaerial.cli.common_options import set_options
from mtlaerial.errors import UserError
from mtlaerial.system import ranks
from mtlaerial.system.memory import as_memory_error
from mtlaerial.system.progress import TerminalHandler, say
from mtlaerial.system.signals import Stopped

app = typer.Typer(
    name="mtlaerial",
    cls=CommandGroup,
    callback=set_options,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

for module in (project, data, training, dashboard, prediction, runs, objects, accuracy, viewer):
    app.add_typer(module.commands)


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
    except Exception as error:
        if (explained := as_memory_error(error)) is None:
            raise
        say(f"Error: {explained}")
        sys.exit(1)
