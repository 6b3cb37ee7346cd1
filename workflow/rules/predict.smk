# Maps of the test tiles, all of a run in one job. The maps of a run are a folder, since which there are depends on the
# method's tasks.
rule predict:
    input:
        model="<run>/model.safetensors",
        description="<run>/run.yaml",
        tiles=tile_files("test"),
        splits="<results>/{dataset}/checks.json",
    output:
        maps=directory("<run>/maps"),
    log:
        "<logs>/{dataset}/predict/{method}.seed{seed}.log",
    benchmark:
        "<benchmarks>/{dataset}/predict/{method}.seed{seed}.tsv"
    threads: lambda w: project.recipe(w.dataset, w.method).training.threads
    resources:
        # The full network takes 3 GB on the CPU.
        mem_mb=growing(5000),
        runtime=720,
        gpu=gpus,
        # Of a cluster's: beside torch's threads one that leads the GPU and one that reads; and one process for all GPUs.
        cpus_per_gpu=lambda w, threads: threads + 2,
        tasks_per_gpu=0,
    params:
        decisive=decisive("predict"),
    message:
        "Predicting {wildcards.dataset} with {wildcards.method}, seed {wildcards.seed}"
    script:
        "../scripts/predict.py"
