"""Train one run."""

from pathlib import Path

from common import Job, folders, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.pipeline.context_params import dataset_in, plan_in
    from mtlaerial.pipeline.launch import train_in_processes
    from mtlaerial.runs.budget import within_budget
    from mtlaerial.runs.progress_file import failure_recorded
    from mtlaerial.system.gpu_locks import reserved_gpus
    from mtlaerial.tiles.statistics import load_tile_statistics, with_specification
    from mtlaerial.training.job import TrainingJob

    context = snakemake.params.context
    dataset, rate = dataset_in(context), snakemake.input.rate
    plan, budget = within_budget(plan_in(snakemake.params), Path(rate) if rate else None)
    measured = load_tile_statistics(Path(snakemake.input.statistics))
    job = TrainingJob(
        plan=plan,
        statistics=with_specification(dataset.name, dataset.spec, measured),
        training_tiles=folders(snakemake.input.training),
        validation_tiles=folders(snakemake.input.validation),
        folder=Path(snakemake.output.model).parent,
        resume=context["resume"],
        pretrained=context["pretrained"],
        start=context["start"],
        budget=budget,
        dashboard=context["dashboard"],
        loggers=context["loggers"],
        replace=True,
    )
    gpus = snakemake.resources.gpu
    with failure_recorded(job.folder), reserved_gpus(0 if plan.training.accelerator == "cpu" else gpus):
        train_in_processes(job, max(gpus, 1))
