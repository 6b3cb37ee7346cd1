"""Command that predicts: maps of images by a trained run."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from mtlaerial.cli.options import RunFolder, chosen_flag, numbers

commands = typer.Typer()
IMAGES, WINDOWS, MAPS, COMPUTING = "Images", "Windows and passes", "Maps", "Computing"
"""Groups of options in the help."""


@commands.command()
def predict(
    run: RunFolder,
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Orthophotos: files, https addresses, folders, patterns, lists (.txt or @FILE, a path per line), or "
            "indexes (vector files with the field location).",
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder for the maps; of several images, with a folder for each.")
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace maps of another image or another run in that folder.")
    ] = False,
    bands: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,N",
            help="Bands of the image, in the run's order; else those of the training.",
            rich_help_panel=IMAGES,
        ),
    ] = None,
    gsd: Annotated[
        float | None,
        typer.Option(
            metavar="METRES", help="Metres per pixel of an image without georeference.", rich_help_panel=IMAGES
        ),
    ] = None,
    resample: Annotated[
        bool,
        typer.Option(
            "--resample",
            help="Resample images to the run's pixels as they are read; maps keep their grids.",
            rich_help_panel=IMAGES,
        ),
    ] = False,
    range_: Annotated[
        str | None,
        typer.Option(
            "--range",
            metavar="MIN,MAX",
            help="Values of the image that are the lowest and the highest of the training's range, in any data type; "
            "values beyond are clipped.",
            rich_help_panel=IMAGES,
        ),
    ] = None,
    aoi: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A vector file of polygons in any CRS, outside of which nothing is predicted.",
            rich_help_panel=IMAGES,
        ),
    ] = None,
    blend: Annotated[
        Literal["even", "original"] | None,
        typer.Option(
            metavar="NAME",
            help="even: few windows fitted to the image; original: those of the original's code, 1024 pixels every "
            "256, in ten times the time; else as the run was scored.",
            rich_help_panel=WINDOWS,
        ),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(
            metavar="PIXELS",
            help="Side of a window, or the largest; a multiple of 32.",
            min=32,
            rich_help_panel=WINDOWS,
        ),
    ] = None,
    stride: Annotated[
        int | None,
        typer.Option(metavar="PIXELS", help="Pixels between windows, or the most.", min=1, rich_help_panel=WINDOWS),
    ] = None,
    views: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Copies of each window that the maps are means over, e.g. mirror,scales: mirror (2 passes), turns "
            "(4), scales (3), which multiply; or none; else as the run was scored.",
            rich_help_panel=WINDOWS,
        ),
    ] = None,
    dropout_passes: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Passes with dropout, e.g. 30; their deviation goes to height_std.tif.",
            min=0,
            rich_help_panel=WINDOWS,
        ),
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Further maps of classes, e.g. probabilities,entropy: probabilities, entropy, mutual_information; or "
            "none; else as the run was scored.",
            rich_help_panel=MAPS,
        ),
    ] = None,
    spread: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="What height_std.tif is the deviation by, e.g. samples,overlap: samples (passes, views, networks), "
            "overlap (of windows), head (what a height head with a scale predicts), which add up; or none; else as "
            "the run was scored.",
            rich_help_panel=MAPS,
        ),
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help="Level in per cent, e.g. 90, of the intervals whose bounds go to height_lower.tif and "
            "height_upper.tif; for a calibrated run.",
            min=1,
            max=99.9,
            rich_help_panel=MAPS,
        ),
    ] = None,
    heights: Annotated[
        Literal["centimetres", "lerc", "float32"] | None,
        typer.Option(
            metavar="NAME",
            help="centimetres: int16 with a scale; lerc: float32 within a centimetre; float32: exact, in about four "
            "times the space; else as in the run's configuration, by default centimetres.",
            rich_help_panel=MAPS,
        ),
    ] = None,
    negative_heights: Annotated[
        bool,
        typer.Option("--negative-heights", help="Keep heights below 0; else as configured.", rich_help_panel=MAPS),
    ] = False,
    no_negative_heights: Annotated[
        bool,
        typer.Option(
            "--no-negative-heights",
            help="Write heights below 0 as 0, which is the default of configurations.",
            rich_help_panel=MAPS,
        ),
    ] = False,
    device: Annotated[
        Literal["cpu", "cuda"] | None,
        typer.Option(metavar="NAME", help="cpu or cuda; else a GPU if there is one.", rich_help_panel=COMPUTING),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Threads on the CPU; else those of the training.", min=1, rich_help_panel=COMPUTING
        ),
    ] = None,
    batch: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            help="Windows per forward pass, or auto: as many as a GPU's free memory holds; else as the run was scored.",
            rich_help_panel=COMPUTING,
        ),
    ] = None,
    precision: Annotated[
        Literal["32-true", "bf16-mixed", "16-mixed"] | None,
        typer.Option(
            metavar="NAME",
            help="Precision of the network's arithmetic, 32-true, bf16-mixed or 16-mixed; else that of the training.",
            rich_help_panel=COMPUTING,
        ),
    ] = None,
    engine: Annotated[
        Literal["torch", "inductor", "openvino", "onnxruntime"] | None,
        typer.Option(
            metavar="NAME",
            help="What runs the network: torch; inductor, which compiles it for a minute or more; openvino or "
            "onnxruntime, packages of their own, for the CPU; else as the run was scored.",
            rich_help_panel=COMPUTING,
        ),
    ] = None,
) -> None:
    """Map classes and heights of any orthophotos, as the run was scored.

    An image must match what the run was trained on, or be made to by --resample, --range and --bands. Of several
    images, those whose maps are finished are skipped: the same command goes on where it stopped.

    Options that change how it was scored are logged with both values. The maps are cloud-optimised GeoTIFFs with styles
    for QGIS and a STAC Item; heights are int16 centimetres with a scale of 0.01, unless --heights says otherwise.

    The run named town is shipped: `mtlaerial describe town` says what it was trained on.

    Example: `mtlaerial predict runs/first ortho.tif --out maps/ --blend even`
    """
    from mtlaerial.prediction.image_inputs import find_images
    from mtlaerial.rasters.admission import require_file
    from mtlaerial.runs.run import require_run
    from mtlaerial.runs.shipped import find_run
    from mtlaerial.system.files import require_folder
    from mtlaerial.system.openmp import wait_passively

    # What cannot be used is refused before torch is imported, which takes seconds.
    run = find_run(run)
    require_run(run)
    inputs = find_images(images)
    if not inputs.several and not inputs.images[0].remote:
        require_file(inputs.images[0].path)
    require_folder(out)
    wait_passively()
    from mtlaerial.prediction.image_batch import predict_images
    from mtlaerial.prediction.image_options import ImageOptions, value_range
    from mtlaerial.prediction.prediction_area import load_area
    from mtlaerial.prediction.predictor import Predictor
    from mtlaerial.prediction.settings import prediction_for
    from mtlaerial.runs.cost import PREDICTION_COST, save_prediction_cost

    windows_at_once = int(batch) if batch and batch.isascii() and batch.isdecimal() else batch
    negative = chosen_flag("--negative-heights", negative_heights, "--no-negative-heights", no_negative_heights)
    compute = {"device": device, "threads": threads, "batch": windows_at_once, "precision": precision, "engine": engine}
    prediction = prediction_for(
        run, window, stride, dropout_passes, blend, views, heights, negative, spread, layers, interval, compute
    )
    options = ImageOptions(
        bands=numbers("--bands", bands) if bands is not None else None,
        gsd=gsd,
        resample=resample,
        stated_range=value_range("--range", range_) if range_ is not None else None,
        area=load_area(aoi) if aoi else None,
        command=shlex.join(["mtlaerial", *sys.argv[1:]]),
    )
    predictor = Predictor(run, prediction)
    predict_images(predictor, inputs, out, options, replace)
    cost = ""
    if predictor.has_predicted:  # otherwise all images were finished before
        save_prediction_cost(predictor.cost, out / PREDICTION_COST)
        cost = f", {predictor.cost.seconds_per_mpixel:.3g} s per Mpixel"
    typer.echo(f"Maps in {out}{cost}")
