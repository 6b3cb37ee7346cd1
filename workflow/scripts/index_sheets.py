"""Index the mapped sheets of a region."""

from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.regions.index import index_sheets
    from mtlaerial.regions.region import Region

    region = Region.load(Path(snakemake.input.region))
    index_sheets(region, Path(snakemake.output[0]).parent, snakemake.params.run)
