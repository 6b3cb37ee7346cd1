# Maps against ground truth: sums per run, then tables.
def score_files(wildcards):
    """Return the scores of every selected run."""
    return [
        f"{RESULTS}/{dataset}/runs/{method}/seed{seed}/scores.json"
        for dataset, method in project.runs()
        for seed in project.config.run.seeds
    ]


rule score:
    input:
        maps=RUN + "/maps",
        description=RUN + "/run.yaml",
        tiles=tile_files("test"),
    output:
        RUN + "/scores.json",
    log:
        RESULTS + "/logs/{dataset}/score/{method}.seed{seed}.log",
    benchmark:
        RESULTS + "/benchmarks/{dataset}/score/{method}.seed{seed}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
        gpu=0,
    params:
        scoring=lambda w: project.recipe(w.dataset, w.method).scoring.model_dump(mode="json"),
        tiles=lambda w: list(project.datasets[w.dataset].spec.splits.get("test", ())),
    message:
        "Scoring {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/score.py"


rule tables:
    input:
        score_files,
    output:
        directory(RESULTS + "/tables"),
    log:
        RESULTS + "/logs/tables.log",
    benchmark:
        RESULTS + "/benchmarks/tables.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    message:
        "Aggregating scores into tables"
    script:
        "../scripts/tables.py"
