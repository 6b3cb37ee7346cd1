"""The command that shows maps in a browser."""

import os
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer()


@commands.command()
def view(
    maps: Annotated[Path, typer.Argument(metavar="MAPS", help="Folder that predict or the mapping of a region wrote.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Images and GeoPackages elsewhere, to be shown with the maps."),
    ] = None,
    port: Annotated[
        int, typer.Option(help="Where to listen, on this machine alone; 0 is any free port.", min=0, max=65535)
    ] = 8098,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in the browser of this machine.")
    ] = True,
) -> None:
    """Show maps in a browser until Ctrl-C: layers, values at a click, buildings, and heights as terrain.

    Nothing is sent to other machines, and nothing but the folder and the named files is read. The printed address
    holds a token: whoever has it can see the maps. It needs the extra viewer: `pip install 'mtlaerial[viewer]'`.

    Example: `mtlaerial view maps/ ortho.tif buildings.gpkg`
    """
    from mtlaerial.viewer.server import view as serve

    def tell(url: str) -> None:
        typer.echo(f"The maps are at {url} (Ctrl-C ends it).")
        # Without a screen, as over SSH, a browser of the terminal would take its place.
        if open_browser and (sys.platform != "linux" or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ)):
            webbrowser.open(url)

    serve(maps, files or [], port, tell)
