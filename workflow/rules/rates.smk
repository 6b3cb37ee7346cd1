# Rates of trainings with a budget: seconds per update, by which minutes become a number of updates.
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
        # That of `train`, for each of the trainings that are timed at once.
        mem_mb=lambda wildcards, attempt: 12000 * trainings_timed(wildcards) * attempt,
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
