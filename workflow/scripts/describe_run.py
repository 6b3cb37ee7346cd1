"""Describe a trained run."""

from pathlib import Path

from common import logged

with logged(snakemake.log[0]):
    from mtlaerial.pipeline.project import Project
    from mtlaerial.runs.run import save_description
    from mtlaerial.tiles.statistics import described, load_measured

    run, project = snakemake.wildcards, Project.of(snakemake.config)
    plan = project.plan(run.dataset, run.method, int(run.seed))
    measured = load_measured(Path(snakemake.input.statistics))
    statistics = described(run.dataset, project.datasets[run.dataset].spec, measured)
    save_description(Path(snakemake.output[0]).parent, plan, statistics)
