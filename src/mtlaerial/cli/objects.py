"""Commands on maps: vectorise, zones."""

from pathlib import Path
from typing import Annotated, Any

import typer

commands = typer.Typer()
_KEYS = ("classes", "min_area", "min_hole", "regularise", "consistency")
"""Keys of the configuration that options of vectorise stand for."""


@commands.command()
def vectorise(
    maps: Annotated[
        list[Path], typer.Argument(metavar="MAPS", help="Folders that predict wrote, on one grid: adjacent tiles.")
    ],
    out: Annotated[
        Path,
        typer.Option(help="The file: .gpkg (GeoPackage), .parquet (GeoParquet) or .city.json (CityJSON, solids)."),
    ],
    classes: Annotated[
        str | None, typer.Option(help="Classes whose objects are written, e.g. building,tree; else building.")
    ] = None,
    min_area: Annotated[
        float | None, typer.Option(help="Square metres; smaller objects are left out; else 10.", min=0)
    ] = None,
    min_hole: Annotated[
        float | None, typer.Option(help="Square metres; smaller holes are filled; else 2, or min-area.", min=0)
    ] = None,
    regularise: Annotated[
        bool, typer.Option("--regularise", help="Straighten outlines and make their corners right angles.")
    ] = False,
    ground: Annotated[
        Path | None,
        typer.Option(help="A ground model (DTM), by default in metres, on which a city model stands; else height 0."),
    ] = None,
    consistency: Annotated[
        Path | None,
        typer.Option(metavar="DATASET.yaml", help="A data set whose rules between tasks the column violations counts."),
    ] = None,
    run: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN_DIR",
            help="The run that made the maps, calibrated: 90 % intervals of the objects' heights. Several: those of "
            "one method on the folds of a data set, whose validation objects are joined.",
        ),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an existing file.")] = False,
) -> None:
    """Make polygons with heights of the objects in maps, for a GIS or as a city model.

    Each object is an outline along the edges of pixels, with class, area, perimeter, median, 90th percentile and
    maximum of the height, and volume. Several folders are one region: a building across two tiles is one polygon.

    Example: `mtlaerial vectorise maps/ --out buildings.gpkg`
    """
    from mtlaerial.config import load_dataset
    from mtlaerial.config.objects import ObjectsSpec
    from mtlaerial.config.option_faults import named_by_options
    from mtlaerial.objects.vectorise import vectorise as write_objects
    from mtlaerial.pipeline.object_calibration import object_calibration
    from mtlaerial.runs.shipped import find_run

    options: dict[str, Any] = {"min_area": min_area, "min_hole": min_hole, "regularise": regularise}
    if classes is not None:
        options["classes"] = [name.strip() for name in classes.split(",")]
    if min_area is not None and min_hole is None:
        options["min_hole"] = min(min_area, ObjectsSpec().min_hole)
    given = {key: value for key, value in options.items() if value is not None}
    with named_by_options(*_KEYS):
        spec = ObjectsSpec.parse(given, "vectorise")
    rules = load_dataset(consistency).consistency if consistency else {}
    calibration = object_calibration([find_run(each) for each in run], maps) if run else None
    with named_by_options(*_KEYS):
        number = write_objects(maps, out, spec, rules, ground, replace, calibration)
    typer.echo(f"{number} objects in {out}")


@commands.command()
def zones(
    maps: Annotated[Path, typer.Argument(metavar="MAPS", help="Folder that predict or the mapping of a region wrote.")],
    polygons: Annotated[
        Path, typer.Argument(metavar="POLYGONS", help="Vector file of polygons, such as parcels, in any CRS.")
    ],
    out: Annotated[
        list[Path],
        typer.Option(help="The file: .gpkg (GeoPackage) or .csv (the table alone). Both: --out A.gpkg --out A.csv."),
    ],
    objects: Annotated[
        Path | None, typer.Option(help="GeoPackage that vectorise wrote of the maps: its objects are counted.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1, max=1_024)] = 1,
    replace: Annotated[bool, typer.Option("--replace", help="Replace existing files.")] = False,
) -> None:
    """Sum up maps in polygons: area of each class, share without one, heights, and number of objects.

    The polygons keep their attributes, order and CRS. A pixel counts by its share within a polygon.

    Example: `mtlaerial zones maps/ parcels.gpkg --out parcels_mapped.gpkg`
    """
    from mtlaerial.zones.zonal_statistics import write_zonal_statistics

    table = write_zonal_statistics(maps, polygons, out, objects, jobs, replace)
    typer.echo(f"{len(table)} polygons in {' and '.join(map(str, out))}")
