"""Aggregate the scores of runs on a data set with those of runs that were trained on other data sets."""

import json
from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.pipeline.transfer import RESAMPLED, resampling_notes
    from mtlaerial.reporting.folds import Evaluation, pool_folds
    from mtlaerial.reporting.tables import write_tables
    from mtlaerial.scoring.scores import load_scores

    own = [load_scores(Path(path)) for path in snakemake.input.own]
    others = [load_scores(Path(path)) for path in snakemake.input.transferred]
    records = [json.loads((Path(path) / RESAMPLED).read_text(encoding="utf-8")) for path in snakemake.input.maps]
    evaluations: dict[str, Evaluation] = {}
    notes: dict[str, list[str]] = {}
    margins: dict[str, float] = {}
    for name, dataset in snakemake.params.decisive.items():
        evaluations[name] = Evaluation(folds=[], protocol=dataset["protocol"])
        rows = [(run.method, record) for run, record in zip(others, records, strict=True) if run.dataset == name]
        notes[name] = [*dataset["notes"], *resampling_notes(rows)]
        margins[name] = dataset["margin"]
    pooled = pool_folds([*own, *others], evaluations)
    write_tables(pooled, Path(snakemake.output[0]), notes=notes, margins=margins)
