"""Draw the positions of the tiles of a data set."""

from pathlib import Path

from common import Job, folders, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.figures import layout_figure
    from mtlaerial.pipeline.rule_params import dataset_in

    tiles = {folder.name: folder for folder in folders(snakemake.input)}
    dataset = dataset_in(snakemake.params.context)
    layout_figure(tiles, dataset, Path(snakemake.output[0]))
