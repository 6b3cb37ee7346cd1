"""Prepare one tile: image, height, labels and eroded labels, each on its own grid."""

from pathlib import Path

from common import logged

with logged(snakemake.log[0]):
    from mtlaerial.pipeline.project import Project
    from mtlaerial.tiles.prepare import prepare_tile

    dataset = Project.of(snakemake.config).datasets[snakemake.wildcards.dataset]
    prepare_tile(dataset, snakemake.wildcards.tile, Path(snakemake.output.image).parent)
