"""Measure the time of an update of a training with a budget."""

from pathlib import Path

from common import Job, folders, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.pipeline.context_params import dataset_in
    from mtlaerial.probe.rate import measure_rate
    from mtlaerial.runs.plan import RunPlan
    from mtlaerial.runs.rate import save_rate
    from mtlaerial.system.gpu_locks import reserved_gpus
    from mtlaerial.tiles.statistics import load_tile_statistics, with_specification
    from mtlaerial.training.job import TrainingJob

    context, path = snakemake.params.context, Path(snakemake.output[0])
    dataset, plan = dataset_in(context), RunPlan.parse(context["plan"], "plan")
    measured = load_tile_statistics(Path(snakemake.input.statistics))
    job = TrainingJob(
        plan=plan,
        statistics=with_specification(dataset.name, dataset.spec, measured),
        training_tiles=folders(snakemake.input.training),
        folder=path.parent,
    )
    with reserved_gpus(0 if plan.training.accelerator == "cpu" else snakemake.resources.gpu):
        save_rate(measure_rate(job), path)
