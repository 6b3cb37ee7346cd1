# One training per data set, method and seed.
rule train:
    input:
        statistics=RESULTS + "/{dataset}/statistics.json",
        training=tile_files("train"),
        validation=tile_files("val"),
    output:
        model=RUN + "/model.safetensors",
        last=RUN + "/last.safetensors",
        description=RUN + "/run.yaml",
        history=RUN + "/history.csv",
    params:
        plan=lambda w: project.plan(w.dataset, w.method, int(w.seed)),
    log:
        RESULTS + "/logs/{dataset}/train/{method}.seed{seed}.log",
    benchmark:
        RESULTS + "/benchmarks/{dataset}/train/{method}.seed{seed}.tsv"
    retries: 1
    threads: lambda w: project.recipe(w.dataset, w.method).training.threads
    resources:
        mem_mb=lambda w, attempt: 8000 * attempt,
        runtime=2880,
        gpu=lambda w: 0 if project.recipe(w.dataset, w.method).training.accelerator == "cpu" else 1,
    message:
        "Training {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/train.py"
