"""Verify and unpack an archive of a data set."""

from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.config.sources import ArchiveSpec
    from mtlaerial.datasets.archives import Archive, unpack

    spec = ArchiveSpec.parse(snakemake.params.context["archive"], "archives")
    unpack(Archive(spec, Path(snakemake.params.context["root"])))
