"""Aggregate the scores of all runs into tables."""

from pathlib import Path

from common import logged

with logged(snakemake.log[0]):
    from mtlaerial.pipeline.project import Project
    from mtlaerial.reporting.tables import write_tables
    from mtlaerial.scoring.scores import load_scores

    write_tables(
        [load_scores(Path(path)) for path in snakemake.input],
        Path(snakemake.output[0]),
        {name: dataset.spec.published for name, dataset in Project.of(snakemake.config).datasets.items()},
    )
