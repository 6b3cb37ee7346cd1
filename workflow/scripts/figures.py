"""Draw the figures of a method on a data set: curves, conflicts, errors of all seeds; maps of the first seed."""

from pathlib import Path

from common import Job, folders, logged

snakemake: Job

with logged(snakemake):
    import pandas as pd
    from matplotlib.figure import Figure

    from mtlaerial.config import task_entry
    from mtlaerial.config.tasks import leads
    from mtlaerial.figures import (
        conflict_figure,
        confusion_figure,
        curves_figure,
        height_error_figure,
        hillshade_figure,
        map_figure,
        reliability_figure,
        retention_figure,
        save_vectors,
    )
    from mtlaerial.runs.run import load_description
    from mtlaerial.scoring.scores_file import load_scores

    out = Path(snakemake.output[0])
    formats = snakemake.params.decisive["formats"]
    runs = [load_description(Path(path).parent) for path in snakemake.input.descriptions]
    figures: dict[str, Figure | None] = {}
    if snakemake.input.histories:  # an ensemble has none
        tables = map(pd.read_csv, snakemake.input.histories)
        histories = {f"seed {run.plan.seed}": table for run, table in zip(runs, tables, strict=True)}
        figures["curves"] = curves_figure(histories, runs, out / "curves.png")
        figures["conflict"] = conflict_figure(histories, runs[0], out / "conflict.png")
    scores = [load_scores(Path(path)) for path in snakemake.input.scores]
    for task in runs[0].plan.tasks:
        metrics = task_entry(task).metrics
        of_classes = metrics == "classes"
        stem, draw = ("confusion", confusion_figure) if of_classes else ("height_errors", height_error_figure)
        of_task = scores if leads(task) else [run.of(task) for run in scores]
        suffix = "" if leads(task) else f"_{task}"
        figures[f"{stem}{suffix}"] = draw(of_task, out / f"{stem}{suffix}.png")
        name = f"{metrics}_error_retention{suffix}"
        figures[name] = retention_figure(of_task, out / f"{name}.png", metrics)
        if of_classes:
            name = f"reliability{suffix}"
            figures[name] = reliability_figure(of_task, out / f"{name}.png")
    for name, figure in figures.items():
        if figure:  # a method with one task has no conflict, one without a spread no uncertainty
            save_vectors(figure, out / f"{name}.png", formats)
    for tile in folders(snakemake.input.tiles):
        path = out / "maps" / f"{tile.name}.png"  # a folder of their own: a tile may be called curves
        maps = Path(snakemake.input.maps[0]) / tile.name
        save_vectors(map_figure(tile, maps, runs[0], path), path, formats)
        if "height" in runs[0].plan.tasks:
            path = out / "hillshades" / f"{tile.name}.png"
            title = f"{runs[0].plan.method}, seed {runs[0].plan.seed}"
            save_vectors(hillshade_figure(tile, {title: maps}, runs[0], path), path, formats)
