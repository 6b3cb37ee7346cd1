"""Fetch published weights, verify and convert them."""

from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.config.sources import PretrainedSpec
    from mtlaerial.pipeline.pretrained import fetch_pretrained

    name = snakemake.wildcards.weights
    published = PretrainedSpec.parse(snakemake.params.context, f"pretrained.{name}")
    fetch_pretrained(name, published, Path(snakemake.output[0]))
