# Scores of maps against ground truth: sums per run, then tables.
rule score:
    input:
        maps="<run>/maps",
        # Read to verify that the description is theirs.
        models=network_files("model.safetensors"),
        description="<run>/run.yaml",
        history=run_history,
        calibration=run_calibration,
        objects=run_objects,
        tiles=tile_files("test", layers=PREPARED_LAYERS),
    output:
        "<run>/scores.json",
    log:
        "<logs>/{dataset}/score/{method}.seed{seed}.log",
    benchmark:
        "<benchmarks>/{dataset}/score/{method}.seed{seed}.tsv"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=60,
        gpu=0,
    params:
        decisive=decisive_params("score"),
    message:
        "Scoring {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/score.py"


rule tables:
    input:
        score_files,
    output:
        report(
            directory("<results>/tables"),
            patterns=["{table}.csv"],
            category="Tables",
            labels={"table": "{table}"},
            caption="../report/tables.rst",
        ),
    log:
        "<logs>/tables.log",
    benchmark:
        "<benchmarks>/tables.tsv"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
        gpu=0,
    params:
        decisive=decisive_params("tables"),
    message:
        "Aggregating scores into tables"
    script:
        "../scripts/tables.py"
