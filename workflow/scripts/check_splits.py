"""Join the reports of all tiles, and check that no ground lies in two splits."""

import logging
import sys
from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.datasets.check import TileReport, assemble, summary

    texts = [Path(path).read_text(encoding="utf-8") for path in snakemake.input]
    reports = [TileReport.model_validate_json(text) for text in texts]
    report = assemble(reports, snakemake.params.decisive["buffer"])
    logging.info("%s", summary(report))
    if not report.ok:
        sys.exit(1)
    Path(snakemake.output[0]).write_text(report.model_dump_json(indent=1), encoding="utf-8")
