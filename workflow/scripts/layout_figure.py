"""Draw where the tiles of a data set lie."""

from pathlib import Path

from common import folders, logged

with logged(snakemake.log[0]):
    from mtlaerial.figures import layout_figure
    from mtlaerial.pipeline.project import Project

    tiles = {folder.name: folder for folder in folders(snakemake.input)}
    dataset = Project.of(snakemake.config).datasets[snakemake.wildcards.dataset]
    layout_figure(tiles, dataset, Path(snakemake.output[0]))
