"""Verify and unpack an archive of a data set."""

from common import logged

with logged(snakemake.log[0]):
    from mtlaerial.datasets.archives import unpack
    from mtlaerial.pipeline.project import Project

    unpack(Project.of(snakemake.config).archives[snakemake.output[0]])
