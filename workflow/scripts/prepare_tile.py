"""Prepare one tile: image, height, labels and eroded labels, each on its own grid, and their hashes."""

from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.datasets.buffer import select_held_out
    from mtlaerial.datasets.footprints import load_footprints
    from mtlaerial.pipeline.context_params import dataset_in
    from mtlaerial.tiles.prepare import prepare_tile

    dataset, tile = dataset_in(snakemake.params.context), snakemake.wildcards.tile
    path = snakemake.input.get("held_out")
    held_out = select_held_out(dataset, tile, load_footprints(Path(path))) if path else []
    prepare_tile(dataset, tile, Path(snakemake.output.image).parent, held_out)
