"""Draw where the tiles of a data set lie."""

from pathlib import Path

from common import folders, logged

with logged(snakemake.log[0]):
    from mtlaerial.figures import layout_figure
    from mtlaerial.project import dataset_of

    tiles = {folder.name: folder for folder in folders(snakemake.input)}
    layout_figure(tiles, dataset_of(snakemake.params.data), Path(snakemake.output[0]))
