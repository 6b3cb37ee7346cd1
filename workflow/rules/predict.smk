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
        mem_mb=lambda w, attempt: 4000 * attempt,
        runtime=720,
        gpu=lambda w: 0 if project.recipe(w.dataset, w.method).training.accelerator == "cpu" else 1,
    params:
        prediction=lambda w: project.recipe(w.dataset, w.method).prediction.model_dump(mode="json"),
        tiles=lambda w: list(project.datasets[w.dataset].spec.splits.get("test", ())),
    message:
        "Predicting {wildcards.dataset} with {wildcards.method}, seed {wildcards.seed}"
    script:
        "../scripts/predict.py"
