# From raw files to prepared tiles and their statistics. Faults in a user's files are not transient: rules that check
# them have no retries, whatever a profile says.
import re

if project.generated:

    rule synthesise:
        output:
            "{root}/GENERATED.txt",
        log:
            "<logs>/synthesise/{root}.log",
        benchmark:
            "<benchmarks>/synthesise/{root}.tsv"
        wildcard_constraints:
            root="|".join(project.generated),
        threads: 2
        resources:
            mem_mb=growing(2000),
            runtime=30,
            gpu=0,
        params:
            decisive=decisive_params("synthesise"),
            context=context_params("synthesise"),
        message:
            "Generating a city in {wildcards.root}"
        script:
            "../scripts/synthesise.py"


# Only archives that are present and not unpacked. The mark of an unpacked one is a plain input file: moving or deleting
# the archive afterwards repeats nothing.
if PENDING:

    rule unpack_archive:
        input:
            lambda w: PENDING[f"{w.mark}.json"].path,
        output:
            "{mark}.json",
        log:
            "<logs>/unpack_archive/{mark}.log",
        benchmark:
            "<benchmarks>/unpack_archive/{mark}.tsv"
        wildcard_constraints:
            mark="|".join(re.escape(mark.removesuffix(".json")) for mark in PENDING),
        retries: 0
        threads: 1
        resources:
            mem_mb=1000,
            runtime=120,
            gpu=0,
        params:
            decisive=decisive_params("unpack_archive"),
            context=context_params("unpack_archive"),
        message:
            "Unpacking {input}"
        script:
            "../scripts/unpack_archive.py"


rule check_tile:
    input:
        raw_files,
    output:
        "<check>",
    log:
        "<logs>/{dataset}/check_tile/{tile}.log",
    benchmark:
        "<benchmarks>/{dataset}/check_tile/{tile}.tsv"
    retries: 0
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
        gpu=0,
    params:
        decisive=decisive_params("check_tile"),
        context=context_params("check_tile"),
    message:
        "Checking {wildcards.dataset} {wildcards.tile}"
    script:
        "../scripts/check_tile.py"


rule check_splits:
    input:
        lambda w: checks_of(w.dataset, project.sources[w.dataset].spec.tiles),
    output:
        "<results>/{dataset}/checks.json",
    log:
        "<logs>/{dataset}/check_splits.log",
    benchmark:
        "<benchmarks>/{dataset}/check_splits.tsv"
    priority: 100
    retries: 0
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        decisive=decisive_params("check_splits"),
    message:
        "Checking that the splits of {wildcards.dataset} do not overlap"
    script:
        "../scripts/check_splits.py"


# Read by the tiles that a buffer keeps away from these. It depends on their images, and on what GDAL reads
# with them: a corrected height or label of a test tile prepares no training tile again.
rule locate_held_out:
    input:
        held_out_images,
    output:
        "<results>/{dataset}/held_out.jsonl",
    log:
        "<logs>/{dataset}/locate_held_out.log",
    benchmark:
        "<benchmarks>/{dataset}/locate_held_out.tsv"
    retries: 0
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        decisive=decisive_params("locate_held_out"),
        context=context_params("locate_held_out"),
    message:
        "Locating the validation and test tiles of {wildcards.dataset}"
    script:
        "../scripts/locate_held_out.py"


rule prepare_tile:
    input:
        raw=raw_files,
        check=lambda w: checks_of(w.dataset, [w.tile]),
        held_out=held_out_places,
    output:
        image="<tile>/image.tif",
        height="<tile>/height.tif",
        labels="<tile>/labels.tif",
        eroded="<tile>/eroded.tif",
        record="<tile>/tile.json",
    log:
        "<logs>/{dataset}/prepare_tile/{tile}.log",
    benchmark:
        "<benchmarks>/{dataset}/prepare_tile/{tile}.tsv"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=30,
        gpu=0,
    params:
        decisive=decisive_params("prepare_tile"),
        context=context_params("prepare_tile"),
    message:
        "Preparing {wildcards.dataset} {wildcards.tile}"
    script:
        "../scripts/prepare_tile.py"


rule summarise_tiles:
    input:
        tile_files("train"),
    output:
        "<results>/{dataset}/statistics.json",
    log:
        "<logs>/{dataset}/summarise_tiles.log",
    benchmark:
        "<benchmarks>/{dataset}/summarise_tiles.tsv"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=30,
        gpu=0,
    params:
        decisive=decisive_params("summarise_tiles"),
        context=context_params("summarise_tiles"),
    message:
        "Summarising the training tiles of {wildcards.dataset}"
    script:
        "../scripts/summarise_tiles.py"
