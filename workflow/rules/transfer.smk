# Train on one data set, test on another: for each pair of `run.transfer` maps and scores of the one's runs on the other's test
# tiles, and a table of each tested data set with these runs beside its own.
ELSEWHERE = f"{RUN}/transfer/{{tested}}"


rule predict_transfer:
    input:
        models=network_files("model.safetensors"),
        description="<run>/run.yaml",
        tiles=lambda wildcards: files_of_tiles(wildcards.tested, ["test"]),
        # Not read: maps wait until the splits are known not to overlap.
        splits="<results>/{tested}/checks.json",
    output:
        maps=directory(f"{ELSEWHERE}/maps"),
        # A file of its own, as no repetition reproduces it.
        cost=f"{ELSEWHERE}/prediction_cost.json",
    log:
        "<logs>/{dataset}/predict_transfer/{method}.seed{seed}.{tested}.log",
    benchmark:
        "<benchmarks>/{dataset}/predict_transfer/{method}.seed{seed}.{tested}.tsv"
    threads: prediction_threads
    resources:
        mem_mb=growing(5000),
        runtime=720,
        gpu=prediction_gpus,
        cpus_per_gpu=lambda w, threads: threads + 2,
        tasks_per_gpu=0,
    params:
        decisive=decisive_params("predict_transfer"),
        context=context_params("predict_transfer"),
    message:
        "Predicting {wildcards.tested} with {wildcards.method} of {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/predict_transfer.py"


rule score_transfer:
    input:
        maps=f"{ELSEWHERE}/maps",
        description="<run>/run.yaml",
        history=run_history,
        tiles=lambda wildcards: files_of_tiles(wildcards.tested, ["test"], PREPARED_LAYERS),
    output:
        f"{ELSEWHERE}/scores.json",
    log:
        "<logs>/{dataset}/score_transfer/{method}.seed{seed}.{tested}.log",
    benchmark:
        "<benchmarks>/{dataset}/score_transfer/{method}.seed{seed}.{tested}.tsv"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=60,
        gpu=0,
    params:
        decisive=decisive_params("score_transfer"),
        context=context_params("score_transfer"),
    message:
        "Scoring {wildcards.method} of {wildcards.dataset} on {wildcards.tested}, seed {wildcards.seed}"
    script:
        "../scripts/score_transfer.py"


rule transfer_tables:
    input:
        own=tested_scores,
        transferred=transfer_files("scores.json"),
        maps=transfer_files("maps"),
    output:
        report(
            directory("<results>/transfer"),
            patterns=["{table}.csv"],
            category="Tables",
            labels={"table": "{table}, trained elsewhere"},
            caption="../report/transfer.rst",
        ),
    log:
        "<logs>/transfer_tables.log",
    benchmark:
        "<benchmarks>/transfer_tables.tsv"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
        gpu=0,
    params:
        decisive=decisive_params("transfer_tables"),
    message:
        "Comparing runs with those that were trained on other data sets"
    script:
        "../scripts/transfer_tables.py"
