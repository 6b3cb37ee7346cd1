# Maps of the test tiles, one job per run. The output is a folder, since its files depend on the tasks of the method.
rule predict:
    input:
        models=network_files("model.safetensors"),
        description="<run>/run.yaml",
        tiles=tile_files("test"),
        # Not read: maps wait until the splits are known not to overlap.
        splits=checked_splits,
    output:
        maps=directory("<run>/maps"),
        # A file of its own, as no repetition reproduces it.
        cost="<run>/prediction_cost.json",
    log:
        "<logs>/{dataset}/predict/{method}.seed{seed}.log",
    benchmark:
        "<benchmarks>/{dataset}/predict/{method}.seed{seed}.tsv"
    threads: prediction_threads
    resources:
        # The full network takes 3 GB on the CPU. Of an ensemble, only the weights of all are in memory at once.
        mem_mb=growing(5000),
        runtime=720,
        gpu=prediction_gpus,
        # For clusters: torch's threads, one that drives the GPU and one that reads; one process for all GPUs.
        cpus_per_gpu=lambda w, threads: threads + 2,
        tasks_per_gpu=0,
    params:
        decisive=decisive_params("predict"),
    message:
        "Predicting {wildcards.dataset} with {wildcards.method}, seed {wildcards.seed}"
    script:
        "../scripts/predict.py"


# Objects of the test tiles' maps; tiles that lie side by side are one region.
rule vectorise:
    input:
        maps="<run>/maps",
        calibration=run_calibration,
    output:
        "<run>/objects.gpkg",
    log:
        "<logs>/{dataset}/vectorise/{method}.seed{seed}.log",
    benchmark:
        "<benchmarks>/{dataset}/vectorise/{method}.seed{seed}.tsv"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=120,
        gpu=0,
    params:
        decisive=decisive_params("vectorise"),
    message:
        "Vectorising {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/vectorise.py"


# Calibration of a run on the validation tiles; where there are none, nothing asks for it.
rule calibrate:
    input:
        models=network_files("model.safetensors"),
        description="<run>/run.yaml",
        tiles=tile_files("val", layers=PREPARED_LAYERS),
        splits=checked_splits,
    output:
        "<run>/calibration.json",
    log:
        "<logs>/{dataset}/calibrate/{method}.seed{seed}.log",
    benchmark:
        "<benchmarks>/{dataset}/calibrate/{method}.seed{seed}.tsv"
    threads: prediction_threads
    resources:
        mem_mb=growing(5000),
        runtime=720,
        gpu=prediction_gpus,
        cpus_per_gpu=lambda w, threads: threads + 2,
        tasks_per_gpu=0,
    params:
        decisive=decisive_params("calibrate"),
    message:
        "Calibrating {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/calibrate.py"
