"""Prepare one tile: image, height, labels and eroded labels, each on its own grid, and their hashes."""

from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.pipeline.rule_params import dataset_in
    from mtlaerial.tiles.prepare import prepare_tile

    dataset = dataset_in(snakemake.params.context)
    prepare_tile(dataset, snakemake.wildcards.tile, Path(snakemake.output.image).parent)
