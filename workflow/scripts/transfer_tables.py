"""Aggregate the scores of runs on a data set with those of runs that were trained on other data sets."""

from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.reporting.tables import write_tables
    from mtlaerial.reporting.transfers import read_transfers

    own, transferred, maps = (map(Path, snakemake.input[name]) for name in ("own", "transferred", "maps"))
    transfers = read_transfers(own, transferred, maps, snakemake.params.decisive)
    write_tables(transfers.scores, Path(snakemake.output[0]), notes=transfers.notes, margins=transfers.margins)
