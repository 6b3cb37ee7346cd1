# From prepared tiles to trained runs.
SHARING = sorted({name for dataset, name in project.runs() if project.weights_of(dataset, name) != name})
ENSEMBLES = sorted({name for _, name in project.runs() if is_ensemble(name)})
TRAINED = sorted({name for _, name in project.trainings()})


# One training per data set, method and seed. Titles, licence, names and colours of classes are written by describe_run,
# so that a correction there trains nothing again.
rule train:
    input:
        statistics="<results>/{dataset}/statistics.json",
        training=tile_files("train"),
        validation=tile_files("val"),
        pretrained=pretrained_weights,
    output:
        model="<run>/model.safetensors",
        best="<run>/best.safetensors",
        last="<run>/last.safetensors",
        history="<run>/history.csv",
        cost="<run>/cost.json",
    log:
        "<logs>/{dataset}/train/{method}.seed{seed}.log",
    benchmark:
        "<benchmarks>/{dataset}/train/{method}.seed{seed}.tsv"
    wildcard_constraints:
        method="|".join(TRAINED),
    threads: torch_threads
    resources:
        # The full network takes 4.3 GB on the CPU, and tiles up to training.memory_budget_mb, by default 4.1 GB.
        mem_mb=growing(12000),
        # Many partitions allow no more than a day; a longer training stores its state and resumes in another attempt.
        runtime=1440,
        gpu=gpus,
        # For clusters: torch's threads, one that drives the GPU and one that reads; one process for all GPUs.
        cpus_per_gpu=lambda w, threads: threads + 2,
        tasks_per_gpu=0,
        # SIGTERM 120 s before the limit: time to store the state. At the limit itself clusters kill after KillWait.
        slurm_extra="--signal=TERM@120",
    params:
        decisive=decisive_params("train"),
        context=context_params("train"),
    message:
        "Training {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/train.py"


if SHARING:

    rule share_weights:
        input:
            model=trained_file("model.safetensors"),
            history=trained_file("history.csv"),
        output:
            model="<run>/model.safetensors",
            history="<run>/history.csv",
        log:
            "<logs>/{dataset}/share_weights/{method}.seed{seed}.log",
        benchmark:
            "<benchmarks>/{dataset}/share_weights/{method}.seed{seed}.tsv"
        wildcard_constraints:
            method="|".join(SHARING),
        localrule: True
        threads: 1
        resources:
            mem_mb=100,
            runtime=10,
            gpu=0,
        message:
            "Taking the weights for {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}"
        script:
            "../scripts/share_weights.py"


rule describe_run:
    input:
        model="<run>/model.safetensors",
        statistics="<results>/{dataset}/statistics.json",
    output:
        "<run>/run.yaml",
    log:
        "<logs>/{dataset}/describe_run/{method}.seed{seed}.log",
    benchmark:
        "<benchmarks>/{dataset}/describe_run/{method}.seed{seed}.tsv"
    wildcard_constraints:
        method="|".join(sorted({*TRAINED, *SHARING})),
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
        gpu=0,
    params:
        decisive=decisive_params("describe_run"),
        context=context_params("describe_run"),
    message:
        "Describing {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}"
    script:
        "../scripts/describe_run.py"


if ENSEMBLES:

    rule describe_ensemble:
        input:
            descriptions=network_files("run.yaml"),
            models=network_files("model.safetensors"),
        output:
            "<run>/run.yaml",
        log:
            "<logs>/{dataset}/describe_ensemble/{method}.seed{seed}.log",
        benchmark:
            "<benchmarks>/{dataset}/describe_ensemble/{method}.seed{seed}.tsv"
        wildcard_constraints:
            method="|".join(ENSEMBLES),
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=10,
            gpu=0,
        params:
            decisive=decisive_params("describe_ensemble"),
        message:
            "Describing the ensemble {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}"
        script:
            "../scripts/describe_ensemble.py"
