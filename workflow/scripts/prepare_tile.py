"""Prepare one tile: image, height and labels, each on its own grid."""

from pathlib import Path

from common import logged

with logged(snakemake.log[0]):
    from mtlaerial.project import dataset_of
    from mtlaerial.tiling import prepare_tile

    folder = Path(snakemake.output.image).parent
    prepare_tile(dataset_of(snakemake.params.data), snakemake.wildcards.tile, folder)
