"""Draw the figures of a method on a data set: curves, conflicts, confusions of all seeds; maps of the first seed."""

from pathlib import Path

from common import Job, folders, logged

snakemake: Job

with logged(snakemake):
    import pandas as pd

    from mtlaerial.figures import conflict_figure, confusion_figure, curves_figure, map_figure
    from mtlaerial.runs.run import load_description
    from mtlaerial.scoring.scores import load_scores

    out = Path(snakemake.output[0])
    runs = [load_description(Path(path).parent) for path in snakemake.input.descriptions]
    tables = map(pd.read_csv, snakemake.input.histories)
    histories = {f"seed {run.plan.seed}": table for run, table in zip(runs, tables, strict=True)}
    curves_figure(histories, runs, out / "curves.png")
    conflict_figure(histories, runs[0], out / "conflict.png")
    if "semantics" in runs[0].plan.tasks:
        confusion_figure([load_scores(Path(path)) for path in snakemake.input.scores], out / "confusion.png")
    for tile in folders(snakemake.input.tiles):
        map_figure(tile, Path(snakemake.input.maps[0]) / tile.name, runs[0], out / f"{tile.name}.png")
