"""Train one run."""

from pathlib import Path

from common import Job, folders, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.pipeline.launch import train_in_processes
    from mtlaerial.pipeline.rule_params import dataset_in, plan_in
    from mtlaerial.runs.progress_file import failure_recorded
    from mtlaerial.system.gpu_locks import taken
    from mtlaerial.tiles.statistics import described, load_measured
    from mtlaerial.training.job import TrainingJob

    context = snakemake.params.context
    dataset, plan = dataset_in(context), plan_in(snakemake.params)
    measured = load_measured(Path(snakemake.input.statistics))
    job = TrainingJob(
        plan=plan,
        statistics=described(dataset.name, dataset.spec, measured),
        training_tiles=folders(snakemake.input.training),
        validation_tiles=folders(snakemake.input.validation),
        folder=Path(snakemake.output.model).parent,
        resume=context["resume"],
        pretrained=snakemake.input.pretrained or None,
        dashboard=context["dashboard"],
    )
    gpus = snakemake.resources.gpu
    with failure_recorded(job.folder), taken(0 if plan.training.accelerator == "cpu" else gpus):
        train_in_processes(job, max(gpus, 1))
