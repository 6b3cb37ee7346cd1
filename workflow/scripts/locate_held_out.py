"""Collect the footprints of the validation and test tiles from their checks."""

from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.datasets.check import TileReport, footprints
    from mtlaerial.datasets.footprints import save_footprints

    texts = [Path(path).read_text(encoding="utf-8") for path in snakemake.input]
    placed = footprints([TileReport.model_validate_json(text) for text in texts])
    save_footprints(placed, Path(snakemake.output[0]))
