"""Train one run."""

from pathlib import Path

from common import folders, logged

with logged(snakemake.log[0]):
    from mtlaerial.pipeline.launch import train_in_processes
    from mtlaerial.pipeline.project import Project
    from mtlaerial.runs.progress_file import failure_recorded
    from mtlaerial.system.gpu_locks import taken
    from mtlaerial.tiles.statistics import described, load_measured
    from mtlaerial.training.job import TrainingJob

    run, project = snakemake.wildcards, Project.of(snakemake.config)
    plan = project.plan(run.dataset, run.method, int(run.seed))
    measured = load_measured(Path(snakemake.input.statistics))
    job = TrainingJob(
        plan=plan,
        statistics=described(run.dataset, project.datasets[run.dataset].spec, measured),
        training_tiles=folders(snakemake.input.training),
        validation_tiles=folders(snakemake.input.validation),
        folder=Path(snakemake.output.model).parent,
        resume=project.config.resume,  # not in params: where the state lies changes no result
        pretrained=snakemake.input.pretrained or None,
        dashboard=project.config.dashboard,  # nor does where it is shown
    )
    wanted = snakemake.resources.gpu
    with failure_recorded(job.folder), taken(0 if plan.training.accelerator == "cpu" else wanted):
        train_in_processes(job, max(wanted, 1))
