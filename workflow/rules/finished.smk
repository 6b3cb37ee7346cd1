# Finished rows: scores of runs in small files (`finished` of the configuration), which other folders take instead of
# training them.
if ROW:

    rule take_row:
        input:
            tiles=tile_files("train", "val", "test", layers=()),
        output:
            FINISHED,
        log:
            "<logs>/{dataset}/take_row/{method}.seed{seed}.log",
        benchmark:
            "<benchmarks>/{dataset}/take_row/{method}.seed{seed}.tsv"
        # Another attempt would meet the same tiles.
        retries: 0
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=10,
            gpu=0,
        params:
            # No input: `keep_row` writes such files, and would train the run anew once a tile is newer than its row.
            row=lambda w: ROW.format(**w),
            sha256=lambda w: hashlib.sha256(Path(ROW.format(**w)).read_bytes()).hexdigest(),
        message:
            "Taking the finished row of {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}"
        script:
            "../scripts/take_row.py"

    rule keep_row:
        input:
            scores="<run>/scores.json",
            cost=cost_of_training,
            runs=network_files("run.yaml"),
            tiles=tile_files("train", "val", "test", layers=()),
        output:
            ROW,
        log:
            "<logs>/{dataset}/keep_row/{method}.seed{seed}.log",
        benchmark:
            "<benchmarks>/{dataset}/keep_row/{method}.seed{seed}.tsv"
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=10,
            gpu=0,
        params:
            run_keys=lambda w: asdict(run_keys(project, w.dataset, w.method, int(w.seed))),
            trainings=lambda w: list(named_trainings(project, w.dataset, w.method, int(w.seed))),
        message:
            "Writing the finished row of {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}"
        script:
            "../scripts/keep_row.py"
