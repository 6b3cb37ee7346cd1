"""Describe a trained run."""

from pathlib import Path

from common import logged

with logged(snakemake.log[0]):
    from mtlaerial.project import Project
    from mtlaerial.runs import describe_again
    from mtlaerial.statistics import load_statistics

    run = snakemake.wildcards
    plan = Project.of(snakemake.config).plan(run.dataset, run.method, int(run.seed))
    statistics = load_statistics(Path(snakemake.input.statistics))
    describe_again(Path(snakemake.output[0]).parent, plan, statistics)
