# From raw files to prepared tiles and their statistics.
GENERATED = {e.root.as_posix(): n for n, e in project.config.datasets.items() if e.generate}


def raw_files(wildcards):
    """Return the raw files of a tile, or the mark of a generated data set."""
    entry = project.config.datasets[wildcards.dataset]
    if entry.generate:
        return f"{entry.root.as_posix()}/GENERATED.txt"
    dataset = project.datasets[wildcards.dataset]
    return [path for layer in LAYERS for path in dataset.files(layer, wildcards.tile)]


if GENERATED:

    rule synthesise:
        output:
            "{root}/GENERATED.txt",
        log:
            RESULTS + "/logs/synthesise/{root}.log",
        benchmark:
            RESULTS + "/benchmarks/synthesise/{root}.tsv"
        wildcard_constraints:
            root="|".join(GENERATED),
        threads: 1
        resources:
            mem_mb=2000,
            runtime=30,
            gpu=0,
        params:
            spec=lambda w: project.config.datasets[GENERATED[w.root]].spec.as_posix(),
            generate=lambda w: project.config.datasets[GENERATED[w.root]].generate.model_dump(mode="json"),
        message:
            "Generating a city in {wildcards.root}"
        script:
            "../scripts/synthesise.py"


rule check_tile:
    input:
        raw_files,
    output:
        CHECK,
    log:
        RESULTS + "/logs/{dataset}/check_tile/{tile}.log",
    benchmark:
        RESULTS + "/benchmarks/{dataset}/check_tile/{tile}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
        gpu=0,
    params:
        data=lambda w: project.tile_data(w.dataset, w.tile),
    message:
        "Checking {wildcards.dataset} {wildcards.tile}"
    script:
        "../scripts/check_tile.py"


rule check_splits:
    input:
        lambda w: expand(CHECK, dataset=w.dataset, tile=project.datasets[w.dataset].spec.tiles),
    output:
        RESULTS + "/{dataset}/checks.json",
    log:
        RESULTS + "/logs/{dataset}/check_splits.log",
    benchmark:
        RESULTS + "/benchmarks/{dataset}/check_splits.tsv"
    priority: 100
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    message:
        "Checking that the splits of {wildcards.dataset} do not overlap"
    script:
        "../scripts/check_splits.py"


rule prepare_tile:
    input:
        raw=raw_files,
        check=CHECK,
    output:
        image=TILE + "/image.tif",
        height=TILE + "/height.tif",
        labels=TILE + "/labels.tif",
    log:
        RESULTS + "/logs/{dataset}/prepare_tile/{tile}.log",
    benchmark:
        RESULTS + "/benchmarks/{dataset}/prepare_tile/{tile}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    params:
        data=lambda w: project.tile_data(w.dataset, w.tile),
    message:
        "Preparing {wildcards.dataset} {wildcards.tile}"
    script:
        "../scripts/prepare_tile.py"


rule summarise_tiles:
    input:
        tile_files("train"),
    output:
        RESULTS + "/{dataset}/statistics.json",
    log:
        RESULTS + "/logs/{dataset}/summarise_tiles.log",
    benchmark:
        RESULTS + "/benchmarks/{dataset}/summarise_tiles.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    params:
        data=lambda w: project.description_data(w.dataset),
    message:
        "Summarising the training tiles of {wildcards.dataset}"
    script:
        "../scripts/summarise_tiles.py"
