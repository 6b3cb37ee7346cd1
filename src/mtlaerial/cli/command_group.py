"""Group of the commands: their help, values that they refuse, and Ctrl-C."""

from typing import Any

import typer
from typer.core import TyperGroup

from mtlaerial.system.progress import say

PREFIX = "Value error, "
"""Pydantic's words before the message of a ValueError; typer passes them on from version 0.29."""


class CommandGroup(TyperGroup):
    """Group whose help shows no type beside a flag: ``--resample <bool>`` reads as if a value were to follow."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take the commands, and hide the types of all flags."""
        super().__init__(*arguments, **options)
        for command in (self, *self.commands.values()):
            for param in command.params:
                if getattr(param, "is_flag", False):
                    param.display_type_rich = _no_type  # type: ignore[attr-defined]

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


def _no_type(ctx: Any) -> None:
    """Return nothing to show in the column of types."""
