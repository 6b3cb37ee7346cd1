"""The command line: the same functions that the workflow's scripts call."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from mtlaerial.errors import UserError

app = typer.Typer(
    name="mtlaerial",
    help="Semantics and height from one aerial image, by multi-task learning.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

Spec = Annotated[Path, typer.Argument(metavar="DATASET.yaml", help="The data set's specification.")]
Root = Annotated[Path, typer.Option("--root", help="The folder its files are in.")]


def main() -> None:
    """Run the command line; an error that the user can mend ends in one sentence and exit code 1."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        app()
    except UserError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        sys.exit(130)


@app.command()
def check(
    spec: Spec,
    root: Root,
    report: Annotated[Path | None, typer.Option(help="Also write the findings to this JSON file.")] = None,
) -> None:
    """Check a data set's files and say everything that is wrong with them. Exit code 1 on errors.

    Archives of the data set that lie in the folder are verified and unpacked first.

    Example: `mtlaerial check my_town.yaml --root /data/my_town --report findings.json`
    """
    from mtlaerial.datasets.archives import unpack_pending
    from mtlaerial.datasets.catalog import Dataset
    from mtlaerial.datasets.check import check_dataset, summary
    from mtlaerial.raster import writing

    dataset = Dataset.of(spec, root)
    unpack_pending(dataset.archives)
    findings = check_dataset(dataset)
    typer.echo(summary(findings))
    if report:
        with writing(report) as path:
            path.write_text(findings.model_dump_json(indent=1), encoding="utf-8")
    raise typer.Exit(0 if findings.ok else 1)


@app.command()
def synthesise(
    spec: Spec,
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    size: Annotated[int, typer.Option(help="Side of each tile in image pixels.", min=64)] = 512,
    seed: Annotated[int, typer.Option(help="What the city is grown from.", min=0)] = 0,
    jobs: Annotated[int, typer.Option(help="Processes that write tiles.", min=1)] = 1,
) -> None:
    """Write a generated city in the layout of a data set, to try a pipeline before the data are there.

    Example: `mtlaerial synthesise config/datasets/city.yaml --out datasets/city --size 1024`
    """
    from mtlaerial.config import load_dataset
    from mtlaerial.datasets.catalog import Dataset
    from mtlaerial.datasets.synthetic import synthesise as write_city

    write_city(Dataset(spec.stem, load_dataset(spec), out), seed=seed, size=size, jobs=jobs)
    typer.echo(f"Generated data in {out}")


@app.command()
def train(
    spec: Spec,
    root: Root,
    out: Annotated[Path, typer.Option(help="The run's folder.")],
    config: Annotated[list[Path] | None, typer.Option(help="Configuration, and overlays; the last wins.")] = None,
    method: Annotated[str, typer.Option(help="A method of the configuration.")] = "equal",
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1)] = 0,
) -> None:
    """Train one run without Snakemake: check, prepare, summarise, train. A killed training goes on where it was.

    Example: `mtlaerial train my_town.yaml --root /data/my_town --out runs/first --config config/config.yaml`
    """
    from mtlaerial.single import train_single

    train_single(spec, root, out, config or [Path("config/config.yaml")], method, seed)
    typer.echo(f"Trained run in {out}; describe it with: mtlaerial describe {out}")


@app.command()
def probe(
    config: Annotated[list[Path] | None, typer.Option(help="Configuration, and overlays; the last wins.")] = None,
    method: Annotated[str, typer.Option(help="A method of the configuration.")] = "equal",
    compile: Annotated[bool, typer.Option("--compile", help="Try torch.compile too, which takes minutes.")] = False,
    json: Annotated[Path | None, typer.Option(help="Also write what was measured to this file.")] = None,
) -> None:
    """Measure training steps on this machine, on generated patches, and propose precision, threads and more.

    Nothing is changed: the lines that it proposes are for you to copy into the configuration.

    Example: `mtlaerial probe --config config/config.yaml --method equal --compile`
    """
    from mtlaerial.probe import planned
    from mtlaerial.probe import probe as measure
    from mtlaerial.probe.table import probed_text
    from mtlaerial.raster import writing

    found = measure(planned(config or [Path("config/config.yaml")], method), compile)
    typer.echo(probed_text(found))
    if json:
        with writing(json) as path:
            path.write_text(found.model_dump_json(indent=1), encoding="utf-8")


@app.command()
def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="A trained run's folder.")],
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="An orthophoto.")],
    out: Annotated[Path, typer.Option(help="The folder for the maps.")],
    bands: Annotated[str | None, typer.Option(help="Bands of the image, in the run's order, e.g. 1,2,3.")] = None,
    gsd: Annotated[float | None, typer.Option(help="Metres per pixel, where the image does not say.")] = None,
    window: Annotated[int | None, typer.Option(help="Side of a window in pixels; a multiple of 32.", min=32)] = None,
    stride: Annotated[int | None, typer.Option(help="Pixels between windows.", min=1)] = None,
    dropout_passes: Annotated[
        int, typer.Option(help="Passes with dropout, e.g. 30; their deviation goes to height_std.tif.", min=0)
    ] = 0,
) -> None:
    """Map classes and heights of any orthophoto that matches what the run was trained on.

    Example: `mtlaerial predict runs/first ortho.tif --out maps/`
    """
    from mtlaerial.prediction import Predictor, prediction_for

    chosen = _numbers("--bands", bands) if bands else None
    Predictor(run, prediction_for(run, window, stride, dropout_passes)).predict_image(image, out, chosen, gsd)
    typer.echo(f"Maps in {out}")


@app.command()
def import_checkpoint(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="A .pth.tar of mtl_aerial_images.")],
    spec: Spec,
    out: Annotated[Path, typer.Option(help="The run's folder.")],
    tasks: Annotated[
        str | None, typer.Option(help="Its tasks in its order, e.g. depth,semantics, where channels do not tell.")
    ] = None,
    channels: Annotated[
        str | None, typer.Option(help="The output channel of each class, from 0, in the specification's order.")
    ] = None,
    height_unit: Annotated[
        float | None, typer.Option(help="Metres per unit of its height; else as in the data set's recipe.", min=1e-6)
    ] = None,
    dropout: Annotated[float, typer.Option(help="The dropout rate of its training.", min=0, max=0.99)] = 0.5,
) -> None:
    """Make a run that predicts from a checkpoint of the original implementation. No code in the file is run.

    Example: `mtlaerial import-checkpoint vaihingen.pth.tar config/datasets/vaihingen.yaml --out runs/original`
    """
    from mtlaerial.importing import import_checkpoint as import_original
    from mtlaerial.importing import named_tasks

    order = named_tasks(tasks) if tasks else None
    chosen = _numbers("--channels", channels) if channels else None
    import_original(checkpoint, spec, out, order, chosen, height_unit, dropout)
    typer.echo(f"Imported run in {out}; describe it with: mtlaerial describe {out}")


@app.command()
def weightings(
    name: Annotated[str | None, typer.Argument(help="One of them, to be explained with its options.")] = None,
) -> None:
    """List the task weightings: family, level, citation, cost; or explain one.

    Example: `mtlaerial weightings cagrad`
    """
    from mtlaerial.weighting.listing import explain_weighting, list_weightings

    typer.echo(explain_weighting(name) if name else list_weightings())


def _numbers(option: str, text: str) -> list[int]:
    parts = text.split(",")
    wrong = [part for part in parts if not part.strip().isdigit()]
    if wrong:
        raise UserError(option, repr(wrong[0]), "numbers separated by commas", f"For example {option} 1,2,3.")
    return [int(part) for part in parts]


@app.command()
def describe(run: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="A trained run's folder.")]) -> None:
    """Say what a trained run is: data, classes, bands, method, recipe.

    Example: `mtlaerial describe results/autzen/runs/equal/seed0`
    """
    from mtlaerial.description import describe_run

    typer.echo(describe_run(run))
