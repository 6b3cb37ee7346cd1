"""Commands on projects of the workflow: a new one, and the place of the workflow."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer

commands = typer.Typer()


@commands.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project's folder: a new or an empty one.")],
    dataset: Annotated[
        Literal["autzen", "dfc2018", "dfc2019", "geonrw", "potsdam", "vaihingen", "own"],
        typer.Option(
            metavar="NAME",
            help="The data set to begin with: a shipped specification, autzen, dfc2018, dfc2019, geonrw, potsdam or "
            "vaihingen; or own, to fill in yourself.",
        ),
    ],
) -> None:
    """Begin a project: write a configuration, a profile and a Snakefile that uses this package's workflow.

    Example: `mtlaerial init my_project --dataset own`
    """
    from mtlaerial.pipeline.new_project import write_project

    for path in write_project(folder, dataset):
        typer.echo(path)
    typer.echo(f"Read {folder / 'README.md'}; then, in {folder}: snakemake -n")
    if find_spec("snakemake") is None:
        typer.echo("Snakemake is not installed here. Install it with: pip install 'mtlaerial[workflow]'")


@commands.command()
def workflow_path() -> None:
    """Print the folder of the workflow: Snakefile, configurations, recipes, specifications and their page.

    Example: `snakemake -s $(mtlaerial workflow-path)/Snakefile -d my_project -n`
    """
    from mtlaerial.config.workflow_folder import workflow_folder

    typer.echo(workflow_folder())
