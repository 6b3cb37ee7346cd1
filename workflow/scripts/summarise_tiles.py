"""Measure the prepared training tiles of a data set."""

from pathlib import Path

from common import Job, folders, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.pipeline.context_params import dataset_in
    from mtlaerial.tiles.measure import measure_tiles

    dataset = dataset_in(snakemake.params.context)
    measured = measure_tiles(dataset.spec, folders(snakemake.input))
    Path(snakemake.output[0]).write_text(measured.model_dump_json(indent=1), encoding="utf-8")
