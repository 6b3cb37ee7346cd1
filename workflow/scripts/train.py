"""Train one run."""

from pathlib import Path

from common import folders, logged

with logged(snakemake.log[0]):
    from mtlaerial.project import Project
    from mtlaerial.statistics import described, load_measured
    from mtlaerial.training import train

    run, project = snakemake.wildcards, Project.of(snakemake.config)
    measured = load_measured(Path(snakemake.input.statistics))
    resume = snakemake.config.get("resume")  # not in params: where the state lies changes no result
    train(
        project.plan(run.dataset, run.method, int(run.seed)),
        described(run.dataset, project.datasets[run.dataset].spec, measured),
        folders(snakemake.input.training),
        folders(snakemake.input.validation),
        Path(snakemake.output.model).parent,
        Path(resume) if resume else None,
        Path(snakemake.input.pretrained) if snakemake.input.pretrained else None,
    )
