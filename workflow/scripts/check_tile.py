"""Check the raw files of one tile."""

import logging
import sys
from pathlib import Path

from common import logged

with logged(snakemake.log[0]):
    from mtlaerial.datasets.check import assemble, check_tile, summary
    from mtlaerial.pipeline.project import Project

    dataset = Project.of(snakemake.config).datasets[snakemake.wildcards.dataset]
    report = check_tile(dataset, snakemake.wildcards.tile)
    logging.info("%s", summary(assemble([report])))
    if not report.ok:
        sys.exit(1)
    Path(snakemake.output[0]).write_text(report.model_dump_json(indent=1), encoding="utf-8")
