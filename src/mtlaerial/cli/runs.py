"""Commands on trained runs: predict, score, describe, ensemble, import, export."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mtlaerial.cli.options import Recipe, Root, RunFolder, Settings, Spec, configuration_keys, numbers
from mtlaerial.errors import UserError

commands = typer.Typer()


@commands.command()
def predict(
    run: RunFolder,
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="An orthophoto.")],
    out: Annotated[Path, typer.Option(help="The folder for the maps.")],
    bands: Annotated[
        str | None, typer.Option(help="Bands of the image, in the run's order; else those of the training.")
    ] = None,
    gsd: Annotated[float | None, typer.Option(help="Metres per pixel of an image without georeference.")] = None,
    window: Annotated[
        int | None, typer.Option(help="Side of a window in pixels, or the largest; a multiple of 32.", min=32)
    ] = None,
    stride: Annotated[int | None, typer.Option(help="Pixels between windows, or the most.", min=1)] = None,
    blend: Annotated[
        Literal["even", "original"] | None,
        typer.Option(
            help="even: few windows fitted to the image; original: those of the original's code, 1024 pixels every "
            "256, in ten times the time; else as the run was scored."
        ),
    ] = None,
    dropout_passes: Annotated[
        int | None, typer.Option(help="Passes with dropout, e.g. 30; their deviation goes to height_std.tif.", min=0)
    ] = None,
    spread: Annotated[
        str | None,
        typer.Option(
            help="What height_std.tif is the deviation by, e.g. samples,overlap: samples (passes, views, networks), "
            "overlap (of windows), head (what a height head with a scale predicts), which add up; or none; else as "
            "the run was scored."
        ),
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(
            help="Further maps of classes, e.g. probabilities,entropy: probabilities, entropy, mutual_information; or "
            "none; else as the run was scored."
        ),
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(
            help="Level in per cent, e.g. 90, of the intervals whose bounds go to height_lower.tif and "
            "height_upper.tif; for a calibrated run.",
            min=1,
            max=99.9,
        ),
    ] = None,
    views: Annotated[
        str | None,
        typer.Option(
            help="Copies of each window that the maps are means over, e.g. mirror,scales: mirror (2 passes), turns "
            "(4), scales (3), which multiply; or none; else as the run was scored."
        ),
    ] = None,
    heights: Annotated[
        Literal["centimetres", "lerc", "float32"] | None,
        typer.Option(
            help="centimetres: int16 with a scale; lerc: float32 within a centimetre; float32: exact, in about four "
            "times the space; else as in the run's configuration, by default centimetres."
        ),
    ] = None,
    negative_heights: Annotated[
        bool | None,
        typer.Option(
            "--negative-heights/--no-negative-heights", help="Keep heights below 0; by default they are written as 0."
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace maps of another image or another run in that folder.")
    ] = False,
) -> None:
    """Map classes and heights of any orthophoto that matches what the run was trained on, as the run was scored.

    Options that change how it was scored are logged with both values. The maps are cloud-optimised GeoTIFFs with styles
    for QGIS and a STAC Item; heights are int16 centimetres with a scale of 0.01, unless --heights says otherwise.

    The run named town is shipped: `mtlaerial describe town` says what it was trained on.

    Example: `mtlaerial predict runs/first ortho.tif --out maps/ --blend even`
    """
    from mtlaerial.prediction.predictor import Predictor
    from mtlaerial.prediction.settings import prediction_for
    from mtlaerial.runs.shipped import find_run

    run = find_run(run)
    indices = numbers("--bands", bands) if bands else None
    prediction = prediction_for(
        run, window, stride, dropout_passes, blend, views, heights, negative_heights, spread, layers, interval
    )
    Predictor(run, prediction).predict_image(image, out, indices, gsd, replace)
    typer.echo(f"Maps in {out}")


@commands.command()
def score(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN_DIR...", help="Folders of trained or imported runs.")],
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
    from mtlaerial.pipeline.score_runs import score_runs
    from mtlaerial.runs.shipped import find_run, require_place

    runs = [find_run(run) for run in runs]
    require_place(runs[0], out, "scores")
    if out is None and len(runs) > 1:
        raise UserError("--out", "nothing", "a folder for the tables of several runs", "For example --out scores.")
    dataset = name or spec.stem
    folder = out or runs[0] / "scores" / dataset
    keys = configuration_keys("--set", settings or [])
    score_runs(runs, spec, root, folder, dataset, tiles, config or (), replace, blend, recipe, keys)
    typer.echo((folder / "tables" / f"{dataset}.md").read_text(encoding="utf-8"))
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
) -> None:
    """Calibrate a run: make intervals of heights hold, and class probabilities honest, by validation tiles.

    The result is calibration.json in the run's folder. It holds for maps that are predicted as the run was scored:
    predict --interval 90 then writes height_lower.tif and height_upper.tif, and probabilities are calibrated.

    Example: `mtlaerial calibrate runs/first my_town.yaml --root /data/my_town`
    """
    from mtlaerial.calibration.text import calibration_lines
    from mtlaerial.pipeline.calibrate_command import calibrate_on
    from mtlaerial.runs.shipped import find_run, require_writable

    run = find_run(run)
    require_writable(run)
    calibration = calibrate_on(run, spec, root, name or "", tiles, config or (), cell)
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
    runs: Annotated[list[Path], typer.Argument(metavar="RUN_DIR...", help="Folders of runs of one data set.")],
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

    order = named_tasks(tasks) if tasks else None
    indices = numbers("--channels", channels) if channels else None
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
