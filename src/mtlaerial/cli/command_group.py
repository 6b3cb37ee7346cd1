"""Group of the commands: their help, values that they refuse, and Ctrl-C."""

from collections.abc import Callable
from functools import partial
from typing import Any

import typer
from typer.core import TyperGroup

from mtlaerial.cli.panels import in_panels
from mtlaerial.system.progress import say

PREFIX = "Value error, "
"""Pydantic's words before the message of a ValueError; typer passes them on from version 0.29."""
_COMPLETION = ("install_completion", "show_completion")
_SHORT = {
    **dict.fromkeys(("<int>", "<int range>", "<float>", "<float range>"), "N"),
    **dict.fromkeys(("<path>", "<list[Path]>"), "PATH"),
    **dict.fromkeys(("<str>", "<list[str]>"), "TEXT"),
}
"""Types as the help shows them, in as few columns as other programs need."""


class CommandGroup(TyperGroup):
    """Group whose help leaves room for sentences on a terminal of 80 columns.

    A flag has no type beside it, as ``--resample <bool>`` reads as if a value were to follow; other types are short.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take the commands, put them into panels, and shorten the types in their help."""
        super().__init__(*arguments, **options)
        self.commands = in_panels(self.commands)
        for command in (self, *self.commands.values()):
            for param in command.params:
                _shorten_type(param)
            command.get_help_option = partial(_help_option, command.get_help_option)

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options of the program; those of shell completion are added to it only after it is made."""
        params: list[Any] = super().get_params(ctx)
        for param in params:
            if param.name in _COMPLETION:
                param.display_type_rich = _no_type
        return params

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a refused value is told in the words of the option."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix(PREFIX)
            raise
        except KeyboardInterrupt:  # typer would end in silence
            say("Interrupted.")
            raise typer.Exit(130) from None


def _shorten_type(param: Any) -> None:
    """Show a short type of a parameter in the help, and none of a flag; older versions of typer show others."""
    if hasattr(param, "display_type_rich"):
        param.display_type_rich = partial(_short_type, param.display_type_rich, getattr(param, "is_flag", False))


def _short_type(display: Callable[[Any], str | None], is_flag: bool, ctx: Any) -> str | None:
    shown = display(ctx)
    return None if is_flag or shown is None else _SHORT.get(shown, shown)


def _help_option(original: Callable[[Any], Any], ctx: Any) -> Any:
    """Return the option ``--help``, which a command makes when it is first asked for it."""
    option = original(ctx)
    if option is not None:
        option.display_type_rich = _no_type
    return option


def _no_type(ctx: Any) -> None:
    """Return nothing to show in the column of types."""
