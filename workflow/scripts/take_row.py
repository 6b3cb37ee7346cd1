"""Take the scores of a finished row instead of training its run."""

from pathlib import Path

from common import Job, folders, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.pipeline.row_files import take_row

    take_row(Path(snakemake.params.row), folders(snakemake.input.tiles), Path(snakemake.output[0]))
