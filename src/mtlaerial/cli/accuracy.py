"""Commands on the accuracy of maps: check points, their assessment, scores of objects."""

from pathlib import Path
from typing import Annotated

import typer

from mtlaerial.cli.options import fractions
from mtlaerial.cli.table_text import panels_text

commands = typer.Typer()

Maps = Annotated[Path, typer.Argument(metavar="MAPS", help="A folder that predict wrote, or that of a mapped region.")]


@commands.command()
def sample(
    maps: Maps,
    out: Annotated[Path, typer.Option(help="The GeoPackage to write.")],
    points: Annotated[int | None, typer.Option(help="Number of points, e.g. 500.", min=2, max=1_000_000)] = None,
    standard_error: Annotated[
        float | None,
        typer.Option(
            help="Instead of --points: as many as the overall accuracy needs for this standard error, e.g. 0.01, by "
            "the accuracies that are expected.",
            min=1e-4,
            max=0.2,
        ),
    ] = None,
    expected: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS=ACCURACY", help="User's accuracy that is expected of a class, 0 to 1; else 0.9."),
    ] = None,
    minimum: Annotated[int, typer.Option(help="Least number of points of a mapped class.", min=2, max=10_000)] = 50,
    seed: Annotated[int, typer.Option(help="What the points are drawn by.", min=0, max=2**31 - 1)] = 0,
    blind: Annotated[bool, typer.Option("--blind", help="Do not say in the file what the map says.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an existing file.")] = False,
) -> None:
    """Draw random check points of maps, as many in each mapped class as its area asks for, for people to label.

    Fill in the column reference with the true class, and reference_height with the surveyed metres above ground where
    there are any; the column classes has the names. The points are in random order: those of the first rows are a
    random sample too.

    Example: `mtlaerial sample maps/ --out points.gpkg --points 500 --blind`
    """
    from mtlaerial.accuracy.sample import sample_points

    users = fractions("--expected", expected or [])
    sizes = sample_points(maps, out, points, standard_error, users, minimum, seed, blind, replace)
    for name, size in sizes.items():
        typer.echo(f"{name}: {size}")
    typer.echo(f"{sum(sizes.values())} points in {out}; then: mtlaerial assess {maps} {out}")


@commands.command()
def assess(
    maps: Maps,
    points: Annotated[Path, typer.Argument(metavar="POINTS", help="The points that sample drew, labelled.")],
    out: Annotated[Path | None, typer.Option(help="Also write accuracy.csv and accuracy.md to this folder.")] = None,
    level: Annotated[float, typer.Option(help="Level of the intervals in per cent.", min=50, max=99.9)] = 95.0,
    replace: Annotated[bool, typer.Option("--replace", help="Replace existing files.")] = False,
) -> None:
    """Estimate areas of classes, accuracies and height errors of maps from labelled check points, with intervals.

    Areas are adjusted for the map's errors: those of the reference, not of the map.

    Example: `mtlaerial assess maps/ points.gpkg --out accuracy/`
    """
    from mtlaerial.accuracy.assess import assess_points
    from mtlaerial.config.calibration import share_of
    from mtlaerial.reporting.tables.map_accuracy import accuracy_panels, accuracy_table
    from mtlaerial.reporting.tables.panel_files import panel_paths, write_panels

    paths = panel_paths(out, "accuracy", replace) if out else None
    assessment = assess_points(maps, points, share_of(level))
    panels = accuracy_panels(assessment, maps.resolve().name)
    typer.echo(panels_text(panels))
    if paths:
        write_panels(paths, panels, accuracy_table(assessment))
        typer.echo(f"Tables in {out}")


@commands.command()
def score_objects(
    objects: Annotated[Path, typer.Argument(metavar="OBJECTS", help="Objects of maps, as vectorise writes them.")],
    truth: Annotated[
        Path, typer.Argument(metavar="TRUTH", help="True objects: a vector file of polygons, or a prepared tile.")
    ],
    height: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of the true heights in metres; else no height errors.")
    ] = None,
    class_name: Annotated[
        str | None, typer.Option("--class", help="Class whose objects are scored; needed where OBJECTS has several.")
    ] = None,
    spec: Annotated[
        Path | None,
        typer.Option(metavar="DATASET.yaml", help="The data set of a prepared tile, which names its classes."),
    ] = None,
    min_area: Annotated[
        float, typer.Option(help="Square metres; smaller objects of a prepared tile are left out.", min=0)
    ] = 10.0,
    within: Annotated[
        Path | None, typer.Option(help="Polygons of the area that was mapped and has truth; else all objects count.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Also write objects.csv and objects.md to this folder.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace existing files.")] = False,
) -> None:
    """Score objects by true ones: precision, recall, overlap, rotation, and errors of heights, by size and height.

    A prepared tile is a folder with labels.tif and height.tif, as in results/NAME/tiles: its connected pixels of the
    class are the true objects, their median heights the true ones.

    Example: `mtlaerial score-objects buildings.gpkg cadastre.gpkg --height eaves --out scores/`
    """
    from mtlaerial.config import load_dataset
    from mtlaerial.config.objects import ObjectsSpec
    from mtlaerial.objects.scoring import score_files
    from mtlaerial.objects.truth_tile import TileTruth
    from mtlaerial.reporting.tables.object_scores import object_panels, object_table
    from mtlaerial.reporting.tables.panel_files import panel_paths, write_panels

    paths = panel_paths(out, "objects", replace) if out else None
    min_hole = min(min_area, ObjectsSpec().min_hole)  # as vectorise has it
    tile = TileTruth(tuple(load_dataset(spec).class_names), min_area, min_hole) if spec else None
    scored = score_files(objects, truth, height, class_name, within, tile)
    panels = object_panels(scored, objects.name)
    typer.echo(panels_text(panels))
    if paths:
        write_panels(paths, panels, object_table(scored))
        typer.echo(f"Tables in {out}")
