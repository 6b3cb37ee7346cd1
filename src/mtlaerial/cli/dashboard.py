"""The command that serves the dashboard."""

from pathlib import Path
from typing import Annotated, Literal

import typer

commands = typer.Typer()


@commands.command()
def dashboard(
    port: Annotated[int, typer.Option(help="Where to listen, on this machine alone.", min=1, max=65535)] = 8097,
    saved: Annotated[Path, typer.Option(help="The folder for what is shown of trainings that have ended.")] = Path(
        "results/dashboard"
    ),
    assets: Annotated[
        Literal["visdom", "npm"],
        typer.Option(help="Who gets the page's scripts, the first time: Visdom from the internet, or npm."),
    ] = "visdom",
) -> None:
    """Show trainings in a browser while they run, until Ctrl-C: those with `dashboard: {}` in their configuration.

    The printed address holds a token: whoever has it can see and change what is shown.

    Example: `mtlaerial dashboard --assets npm`
    """
    from mtlaerial.dashboard.server import serve

    def tell(url: str) -> None:
        typer.echo(f"The dashboard is at {url} (Ctrl-C ends it).")

    serve(port, saved, assets, tell)
