"""Commands on trained runs: score, describe, ensemble, import, export."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mtlaerial.cli.options import Recipe, Root, RunFolder, Settings, Spec, configuration_keys, numbers
from mtlaerial.cli.table_text import document_text
from mtlaerial.errors import UserError

commands = typer.Typer()


@commands.command()
def score(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN_DIR", help="Folders of trained or imported runs.")],
    spec: Spec,
    root: Root,
    out: Annotated[
        Path | None, typer.Option(help="The folder for maps and tables; else scores/DATASET in the folder of the run.")
    ] = None,
    tiles: Annotated[
        Path | None, typer.Option(help="Folder of prepared tiles, shared between runs; else tiles in --out.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The data set's name, where it was trained on under another than its file's.")
    ] = None,
    config: Annotated[
        list[Path] | None, typer.Option(help="Configuration, and overlays, whose section scoring decides the scores.")
    ] = None,
    recipe: Recipe = None,
    settings: Settings = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the tables of an earlier scoring in that folder.")
    ] = False,
    blend: Annotated[
        Literal["even", "original"] | None,
        typer.Option(
            help="original: as the original's code predicts, with the data set's windows; even: few windows fitted to "
            "the image; else as each run was configured."
        ),
    ] = None,
) -> None:
    """Score runs: predict a data set's test tiles, score the maps, and write the workflow's tables.

    Runs that differ in the seed alone are one row; each other run is a row of its own. Of a data set with areas, a run
    is scored on the area that its training left out, and the runs of all areas are joined in one row.

    Example: `mtlaerial score runs/first my_town.yaml --root /data/my_town`
    """
    from mtlaerial.system.openmp import wait_passively

    wait_passively()
    from mtlaerial.pipeline.score_runs import score_runs
    from mtlaerial.runs.shipped import find_run, require_place

    runs = [find_run(run) for run in runs]
    require_place(runs[0], out, "scores")
    if out is None and len(runs) > 1:
        raise UserError("--out", "nothing", "a folder for the tables of several runs", "For example --out scores.")
    dataset = name or spec.stem
    folder = out or runs[0] / "scores" / dataset
    keys = configuration_keys("--set", settings or [])
    inputs = (runs, spec, root, folder, dataset, tiles, config or (), replace, blend, recipe, keys)
    score_runs(*inputs, show=lambda table: typer.echo(document_text(table)))
    typer.echo(f"Tables in {folder / 'tables'}")


@commands.command()
def calibrate(
    run: RunFolder,
    spec: Spec,
    root: Root,
    tiles: Annotated[
        Path | None, typer.Option(help="Folder of prepared tiles, shared between runs; else tiles in the run's folder.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The data set's name, where it was trained on under another than its file's.")
    ] = None,
    config: Annotated[
        list[Path] | None, typer.Option(help="Configuration, and overlays, whose section calibration counts.")
    ] = None,
    cell: Annotated[
        float | None,
        typer.Option(help="Least side of a calibration cell in metres; else 60, or as configured.", min=0.1),
    ] = None,
    blend: Annotated[
        Literal["even", "original"] | None,
        typer.Option(help="Windows of the maps that it is for, as of predict --blend; else as the run was scored."),
    ] = None,
) -> None:
    """Calibrate a run: make intervals of heights hold, and class probabilities honest, by validation tiles.

    The result is calibration.json in the run's folder. It holds for maps that are predicted as the run was scored,
    with --blend even for those of predict --blend even: predict --interval 90 then writes height_lower.tif and
    height_upper.tif, and probabilities are calibrated.

    Example: `mtlaerial calibrate runs/first my_town.yaml --root /data/my_town`
    """
    from mtlaerial.system.openmp import wait_passively

    wait_passively()
    from mtlaerial.calibration.text import calibration_lines
    from mtlaerial.pipeline.calibrate_command import calibrate_on
    from mtlaerial.runs.calibration_file import CALIBRATION
    from mtlaerial.runs.shipped import find_run, require_writable
    from mtlaerial.system.files import require_place

    run = find_run(run)
    require_writable(run)
    require_place(run / CALIBRATION)
    calibration = calibrate_on(run, spec, root, name or "", tiles, config or (), cell, blend)
    for line in calibration_lines(calibration):
        typer.echo(line)
    typer.echo(f"Calibration in {run / 'calibration.json'}")


@commands.command()
def describe(run: RunFolder) -> None:
    """Say what a trained run is: data, classes, bands, method, recipe.

    Example: `mtlaerial describe results/autzen/runs/equal/seed0`
    """
    from mtlaerial.runs.shipped import find_run
    from mtlaerial.runs.text import describe_run

    typer.echo(describe_run(find_run(run)))


@commands.command()
def ensemble(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN_DIR", help="Folders of runs of one data set.")],
    out: Annotated[Path, typer.Option(help="The ensemble's folder.")],
    name: Annotated[str | None, typer.Option(help="Its name in tables and maps; else that of the folder.")] = None,
    heights: Annotated[
        Literal["mean", "median"],
        typer.Option(help="The average of the heights over the runs; the median of two is their mean."),
    ] = "mean",
    replace: Annotated[bool, typer.Option("--replace", help="Replace another ensemble in that folder.")] = False,
) -> None:
    """Join runs: their class scores and heights are averaged in one pass over an image.

    Networks, tasks and seeds may differ; a task is averaged over the runs that learned it. The folder is taken by
    predict, score and describe like that of a run. It names the runs by path and hash and has no weights itself: keep
    them beside it. It predicts as the first run was scored.

    Example: `mtlaerial ensemble runs/first runs/second --out runs/both`
    """
    from mtlaerial.runs.ensemble import make_ensemble
    from mtlaerial.runs.shipped import find_run

    make_ensemble([find_run(run) for run in runs], out, name or "", replace, heights)
    typer.echo(f"Ensemble of {len(runs)} runs in {out}; describe it with: mtlaerial describe {out}")


@commands.command()
def upgrade(run: RunFolder) -> None:
    """Convert the description of a run that an older version wrote, and bind it to its weights.

    Example: `mtlaerial upgrade runs/first`
    """
    from mtlaerial.runs.upgrade import upgrade_run

    changed = upgrade_run(run)
    typer.echo(f"Converted {run}" if changed else f"{run} is of this version: nothing to do")


@commands.command()
def import_checkpoint(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="A .pth.tar of mtl_aerial_images.")],
    spec: Spec,
    out: Annotated[Path, typer.Option(help="The run's folder.")],
    tasks: Annotated[
        str | None, typer.Option(help="Its tasks in its order, e.g. depth,semantics, where channels do not tell.")
    ] = None,
    channels: Annotated[
        str | None, typer.Option(help="The output channel of each class, in the specification's order; else its code.")
    ] = None,
    height_unit: Annotated[
        float | None, typer.Option(help="Metres per unit of its height; else as in the data set's recipe.", min=1e-6)
    ] = None,
    dropout: Annotated[float, typer.Option(help="The dropout rate of its training.", min=0, max=0.99)] = 0.5,
) -> None:
    """Make a run that predicts from a checkpoint of the original implementation. No code in the file is run.

    Example: `mtlaerial import-checkpoint vaihingen.pth.tar config/datasets/vaihingen.yaml --out runs/original`
    """
    from mtlaerial.runs.import_original import import_checkpoint as import_original
    from mtlaerial.runs.original_outputs import named_tasks
    from mtlaerial.runs.text import describe_import

    order = named_tasks(tasks) if tasks is not None else None
    indices = numbers("--channels", channels) if channels is not None else None
    import_original(checkpoint, spec, out, order, indices, height_unit, dropout)
    typer.echo(f"Imported run in {out}; describe it with: mtlaerial describe {out}")
    for line in describe_import(out):
        typer.echo(line)


@commands.command()
def export(
    run: RunFolder,
    format: Annotated[Literal["onnx", "pt2"], typer.Option(help="ONNX, or what torch.export.load reads.")] = "onnx",
    out: Annotated[Path | None, typer.Option(help="The file; else model.onnx or such in the run's folder.")] = None,
    task: Annotated[
        str | None,
        typer.Option(help="The only output; as ONNX, for square tiles of one size, as QGIS Deepness wants it."),
    ] = None,
) -> None:
    """Write the network for other programs: from the image file's values to class probabilities and metres.

    FILE.json beside it describes inputs and outputs as a STAC Item.

    Example: `mtlaerial export runs/first --format onnx --out town.onnx`
    """
    from mtlaerial.export import export_run
    from mtlaerial.runs.shipped import find_run, require_place

    run = find_run(run)
    require_place(run, out, f"{run.name}.{format}")
    path = export_run(run, format, out, task)
    typer.echo(f"Exported to {path}; described in {path}.json")
