# Rates of trainings with a budget: seconds per update, by which minutes become a number of updates.
def training_rate(wildcards):
    """Return the rate by which the budget of a training becomes a number of updates; none without a budget."""
    budget = project.recipe(wildcards.dataset, wildcards.method).training.budget
    if budget is None:
        return []
    return budget.rate.as_posix() if budget.rate else RATE


def all_cores(wildcards):
    """Return the number of cores of this machine's workflow; on a cluster those of the trainings that are timed."""
    try:
        return workflow.cores
    except WorkflowError:  # on a cluster without --cores
        pass
    training = project.recipe(wildcards.dataset, wildcards.method).training
    return training.threads * (training.budget.side_by_side if training.budget else 1)


# All cores are its own, so that nothing else is at work. No input here or in `train` is `ancient`: that would hide changed
# params from a plan in which an earlier job runs too, and all that repeats this job repeats the training anyway.
rule measure_rate:
    input:
        statistics="<results>/{dataset}/statistics.json",
        training=tile_files("train"),
    output:
        RATE,
    log:
        "<logs>/{dataset}/measure_rate/{method}.log",
    benchmark:
        "<benchmarks>/{dataset}/measure_rate/{method}.tsv"
    priority: 1
    threads: all_cores
    resources:
        mem_mb=growing(12000),
        runtime=60,
        gpu=gpus,
        cpus_per_gpu=lambda w, threads: threads + 2,
        tasks_per_gpu=0,
        # On a cluster nothing else may run on the node.
        slurm_extra="--exclusive",
    params:
        decisive=decisive_params("measure_rate"),
        context=context_params("measure_rate"),
    message:
        "Measuring the rate of {wildcards.method} on {wildcards.dataset}"
    script:
        "../scripts/measure_rate.py"
