"""Describe a trained run."""

from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.pipeline.context_params import dataset_in, plan_in, recipe_in
    from mtlaerial.runs.run import save_description
    from mtlaerial.tiles.statistics import load_tile_statistics, with_specification

    dataset = dataset_in(snakemake.params.context)
    measured = load_tile_statistics(Path(snakemake.input.statistics))
    statistics = with_specification(dataset.name, dataset.spec, measured)
    plan, recipe = plan_in(snakemake.params), recipe_in(snakemake.params)
    save_description(Path(snakemake.output[0]).parent, plan, statistics, recipe)
