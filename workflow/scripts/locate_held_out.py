"""Locate the validation and test tiles by the headers of their images."""

from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.datasets.buffer import read_later
    from mtlaerial.datasets.footprints import save_footprints
    from mtlaerial.pipeline.context_params import dataset_in

    dataset = dataset_in(snakemake.params.context)
    save_footprints(read_later(dataset, "train"), Path(snakemake.output[0]))
