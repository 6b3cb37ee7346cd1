"""Fetch published weights, verify and convert them."""

from pathlib import Path

from common import logged

with logged(snakemake.log[0]):
    from mtlaerial.config import parse_project
    from mtlaerial.models.pretrained import fetch_pretrained

    name = snakemake.wildcards.weights
    fetch_pretrained(name, parse_project(snakemake.config).pretrained[name], Path(snakemake.output[0]))
