"""Draw the positions of the tiles of a data set."""

from pathlib import Path

from common import Job, folders, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.figures import layout_figure, save_vectors
    from mtlaerial.pipeline.context_params import dataset_in

    tiles = {folder.name: folder for folder in folders(snakemake.input)}
    dataset = dataset_in(snakemake.params.context)
    path = Path(snakemake.output.png)
    figure = layout_figure(tiles, dataset, path)
    save_vectors(figure, path, snakemake.params.decisive["formats"])
