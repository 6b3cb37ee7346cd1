"""Commands on the files of a data set."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mtlaerial.cli.options import Root, Spec, settings

commands = typer.Typer()


@commands.command()
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
    from mtlaerial.system.files import require_place, write_text

    if report:
        require_place(report)
    dataset = Dataset.of(spec, root)
    dataset.require_root()
    unpack_pending(dataset.archives)
    findings = check_dataset(dataset)
    typer.echo(summary(findings))
    if report:
        write_text(report, findings.model_dump_json(indent=1))
    raise typer.Exit(0 if findings.ok else 1)


@commands.command()
def rasterise(
    polygons: Annotated[
        Path, typer.Argument(metavar="POLYGONS", help="Vector file of labelled polygons, in any CRS, e.g. GeoPackage.")
    ],
    image: Annotated[
        Path,
        typer.Argument(metavar="IMAGE", help="The image on whose pixels the labels shall lie, or a folder of tiles."),
    ],
    column: Annotated[
        str, typer.Option(metavar="COLUMN", help="Column of the classes: names, or codes from 1 to 255.")
    ],
    out: Annotated[Path, typer.Option(help="The GeoTIFF to write; of a folder, the folder for one of each name.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace existing files.")] = False,
) -> None:
    """Write labels that are drawn as polygons as a raster of codes on the grid of an image.

    A pixel has the class of the polygon in which its centre lies, of overlapping ones of the last in the file. Pixels
    in no polygon are 0: they are neither trained on nor scored. The printed section labels is for DATASET.yaml.

    Example: `mtlaerial rasterise labels.gpkg ortho.tif --column class --out labels.tif`

    Of tiles: `mtlaerial rasterise labels.gpkg images/ --column class --out labels/`
    """
    from mtlaerial.datasets.polygon_labels import rasterise_labels

    labels = rasterise_labels(polygons, image, column, out, replace)
    for name, code in labels.codes.items():
        typer.echo(f"{code:>3}  {name}: {labels.pixels[name]:,} pixels")
    typer.echo(f"  0  in no polygon: {labels.unlabelled:,} pixels")
    if labels.ambiguous:
        typer.echo(f"In polygons of several classes, where the last one counts: {labels.ambiguous:,} pixels")
    if labels.empty:
        typer.echo(f"Without any polygon: {len(labels.empty)} of {labels.images} images, {', '.join(labels.empty)}")
    typer.echo(f"Labels in {out}. For the specification, with colours of your choice and the path below its root:\n")
    typer.echo(labels.section(out / "{tile}.tif" if image.is_dir() else out))


@commands.command()
def folds(
    spec: Spec,
    root: Root,
    number: Annotated[int, typer.Option(help="Number of areas.", min=2)] = 5,
    out: Annotated[Path | None, typer.Option(help="The CSV to write; else NAME_areas.csv beside DATASET.yaml.")] = None,
) -> None:
    """Divide a data set's tiles by place into areas, each to be tested by a training on all others.

    Example: `mtlaerial folds my_town.yaml --root /data/my_town --number 5`
    """
    import os

    from mtlaerial.config.specification_file import find_specification
    from mtlaerial.datasets.archives import unpack_pending
    from mtlaerial.datasets.catalog import Dataset
    from mtlaerial.datasets.spatial_folds import divide, write_areas
    from mtlaerial.errors import ConfigError

    file = find_specification(spec)
    if file != spec:
        expected = "one of yours, which names the areas"
        raise ConfigError("DATASET", f"{spec}, a shipped specification", expected, f"Copy {file}, and give the copy.")
    path = out or spec.with_name(f"{spec.stem}_areas.csv")
    relative = Path(os.path.relpath(path, spec.parent)).as_posix()
    if relative.startswith("../"):
        expected = f"a file in {spec.parent} or below it, so that {spec.name} can name it"
        raise ConfigError("--out", str(path), expected, "Choose another place.")
    dataset = Dataset.of(spec, root)
    unpack_pending(dataset.archives)
    areas = divide(dataset, number)
    write_areas(areas, path)
    for area, tiles in areas.items():
        typer.echo(f"{area}: {len(tiles)} tile{'' if len(tiles) == 1 else 's'}")
    typer.echo(f"Areas in {path}. In {spec}, write instead of splits:\n\nareas: {{csv: {relative}}}")


@commands.command()
def synthesise(
    spec: Spec,
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    size: Annotated[int, typer.Option(help="Side of each tile in image pixels.", min=64, max=65_536)] = 512,
    seed: Annotated[int, typer.Option(help="What the city is grown from.", min=0, max=2**31 - 1)] = 0,
    style: Annotated[
        Literal["grid", "organic"], typer.Option(help="Streets, buildings, colours and light of the city.")
    ] = "grid",
    noise: Annotated[
        list[str] | None,
        typer.Option(metavar="LAYER=AMOUNT", help="image (share of its range), height (m), labels (share of ground)."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Processes that write tiles.", min=1, max=1_024)] = 1,
) -> None:
    """Write a generated city in the layout of a data set, to try a pipeline before the data are there.

    Noise of height and labels is that of training and validation tiles, not of test tiles.

    Example: `mtlaerial synthesise config/datasets/city.yaml --out datasets/city --style organic --noise image=0.02`
    """
    from mtlaerial.config import load_dataset, typed_scalars
    from mtlaerial.datasets.catalog import Dataset
    from mtlaerial.synthetic.generate import synthesise as write_city

    dataset = Dataset(spec.stem, load_dataset(spec), out)
    amounts = typed_scalars(settings("--noise", noise or []))
    write_city(dataset, seed=seed, size=size, style=style, noise=amounts, jobs=jobs)
    typer.echo(f"Generated data in {out}")
