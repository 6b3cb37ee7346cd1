"""Train one run."""

from pathlib import Path

from common import folders, logged

with logged(snakemake.log[0]):
    from mtlaerial.project import Project
    from mtlaerial.statistics import load_statistics
    from mtlaerial.training import train

    run = snakemake.wildcards
    resume = snakemake.config.get("resume")  # not in params: where the state lies changes no result
    train(
        Project.of(snakemake.config).plan(run.dataset, run.method, int(run.seed)),
        load_statistics(Path(snakemake.input.statistics)),
        folders(snakemake.input.training),
        folders(snakemake.input.validation),
        Path(snakemake.output.model).parent,
        Path(resume) if resume else None,
        Path(snakemake.input.pretrained) if snakemake.input.pretrained else None,
    )
