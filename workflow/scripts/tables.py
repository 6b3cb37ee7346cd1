"""Aggregate the scores of all runs into tables."""

from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.config.published import PublishedSpec
    from mtlaerial.reporting.tables import write_tables
    from mtlaerial.scoring.scores import load_scores

    scores = [load_scores(Path(path)) for path in snakemake.input]
    published: dict[str, list[PublishedSpec]] = {}
    for name, dataset in snakemake.params.decisive.items():
        published[name] = [PublishedSpec.parse(entry, f"{name}: published") for entry in dataset["published"]]
    lacking = {name: dataset["lacking"] for name, dataset in snakemake.params.decisive.items()}
    write_tables(scores, Path(snakemake.output[0]), published, lacking)
