"""Measure the prepared training tiles of a data set."""

from pathlib import Path

from common import folders, logged

with logged(snakemake.log[0]):
    from mtlaerial.pipeline.project import Project
    from mtlaerial.tiles.measure import measure

    dataset = Project.of(snakemake.config).datasets[snakemake.wildcards.dataset]
    measured = measure(dataset.spec, folders(snakemake.input))
    Path(snakemake.output[0]).write_text(measured.model_dump_json(indent=1), encoding="utf-8")
