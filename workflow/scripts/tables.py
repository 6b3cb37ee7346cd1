"""Aggregate the scores of all runs into tables."""

from pathlib import Path

from common import Job, curves_in, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.config.published import PublishedSpec
    from mtlaerial.reporting.folds import Evaluation, pool_folds
    from mtlaerial.reporting.tables import write_tables
    from mtlaerial.scoring.scores_file import load_scores

    scores = [load_scores(Path(path)) for path in snakemake.input]
    evaluations: dict[str, Evaluation] = {}
    published: dict[str, list[PublishedSpec]] = {}
    for name, dataset in snakemake.params.decisive.items():
        evaluations[name] = Evaluation(folds=dataset["folds"], protocol=dataset["protocol"])
        published[name] = [PublishedSpec.parse(entry, f"{name}: published") for entry in dataset["published"]]
    notes = {name: dataset["notes"] for name, dataset in snakemake.params.decisive.items()}
    ablations = {name: dataset.get("steps", []) for name, dataset in snakemake.params.decisive.items()}
    margins = {name: dataset["margin"] for name, dataset in snakemake.params.decisive.items()}
    compared = ablations, margins, curves_in(snakemake.params.decisive)
    write_tables(pool_folds(scores, evaluations), Path(snakemake.output[0]), published, notes, *compared)
