"""Check the raw files of one tile."""

import logging
import sys
from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.datasets.check import assemble, check_tile, summary
    from mtlaerial.pipeline.context_params import dataset_in

    dataset = dataset_in(snakemake.params.context)
    report = check_tile(dataset, snakemake.wildcards.tile)
    logging.info("%s", summary(assemble([report])))
    if not report.ok:
        sys.exit(1)
    Path(snakemake.output[0]).write_text(report.model_dump_json(indent=1), encoding="utf-8")
