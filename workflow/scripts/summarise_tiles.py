"""Summarise the prepared training tiles of a data set."""

from pathlib import Path

from common import folders, logged

with logged(snakemake.log[0]):
    from mtlaerial.project import dataset_of
    from mtlaerial.statistics import summarise

    statistics = summarise(dataset_of(snakemake.params.data), folders(snakemake.input))
    Path(snakemake.output[0]).write_text(statistics.model_dump_json(indent=1), encoding="utf-8")
