# Pictures of the results, and one page with everything.
rule layout_figure:
    input:
        tile_files("train", "val", "test"),
    output:
        png=report(
            "<figures>/tiles.png", category="{dataset}", labels={"figure": "tiles"}, caption="../report/layout.rst"
        ),
        vectors=expand("<figures>/tiles.{format}", format=project.config.figures.formats),
    log:
        "<logs>/{dataset}/layout_figure.log",
    benchmark:
        "<benchmarks>/{dataset}/layout_figure.tsv"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
        gpu=0,
    params:
        decisive=decisive_params("layout_figure"),
        context=context_params("layout_figure"),
    message:
        "Drawing where the tiles of {wildcards.dataset} lie"
    script:
        "../scripts/layout_figure.py"


if project.config.run.label_efficiency:

    rule label_efficiency:
        input:
            score_files,
        output:
            png=report(
                expand(f"{FIGURES}/label_efficiency.png", dataset=project.sources),
                category="Summary",
                labels={"figure": "label efficiency"},
                caption="../report/label_efficiency.rst",
            ),
            vectors=expand(
                f"{FIGURES}/label_efficiency.{{format}}",
                dataset=project.sources,
                format=project.config.figures.formats,
            ),
        log:
            "<logs>/label_efficiency.log",
        benchmark:
            "<benchmarks>/label_efficiency.tsv"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=20,
            gpu=0,
        params:
            decisive=decisive_params("label_efficiency"),
        message:
            "Drawing scores over the share of the truth that is used"
        script:
            "../scripts/label_efficiency.py"


rule tradeoff:
    input:
        score_files,
    output:
        png=report(
            "<figures>/tradeoff.png",
            category="{dataset}",
            labels={"figure": "trade-off"},
            caption="../report/tradeoff.rst",
        ),
        vectors=expand("<figures>/tradeoff.{format}", format=project.config.figures.formats),
    log:
        "<logs>/{dataset}/tradeoff.log",
    benchmark:
        "<benchmarks>/{dataset}/tradeoff.tsv"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
        gpu=0,
    params:
        decisive=decisive_params("tradeoff"),
    message:
        "Drawing semantics over height of the methods that learn both on {wildcards.dataset}"
    script:
        "../scripts/tradeoff.py"


rule figures:
    input:
        histories=histories,
        descriptions=run_files("run.yaml"),
        models=models_of_seeds,
        scores=run_files("scores.json"),
        maps=run_files("maps", most=1),
        tiles=tile_files("test"),
    output:
        report(
            directory("<figures>/{method}"),
            patterns=["{figure}.png"],
            category="{dataset}",
            subcategory="{method}",
            labels={"figure": "{figure}"},
            caption="../report/figures.rst",
        ),
    log:
        "<logs>/{dataset}/figures/{method}.log",
    benchmark:
        "<benchmarks>/{dataset}/figures/{method}.tsv"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=20,
        gpu=0,
    params:
        decisive=decisive_params("figures"),
    message:
        "Drawing curves, conflicts, confusions and maps of {wildcards.method} on {wildcards.dataset}"
    script:
        "../scripts/figures.py"


rule report:
    input:
        scores=score_files,
        descriptions=description_files,
        costs=cost_files,
        prediction_costs=prediction_cost_files,
        maps=maps_of_methods,
        tiles=tested_tiles,
        figures=figure_files,
        checks=expand("<results>/{dataset}/checks.json", dataset=project.sources),
        own=tested_scores,
        transferred=transfer_files("scores.json"),
        elsewhere=transfer_files("maps"),
    output:
        page=report(
            "<results>/report.html", category="Summary", labels={"page": "Report"}, caption="../report/page.rst"
        ),
        files=directory("<results>/report_files"),
    log:
        "<logs>/report.log",
    benchmark:
        "<benchmarks>/report.tsv"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=60,
        gpu=0,
    params:
        decisive=decisive_params("report"),
        context=context_params("report"),
        transfers=decisive_params("transfer_tables"),
        # Of `input`: not recorded, so that no other command repeats the job.
        command=lambda wildcards, input: COMMAND,
    message:
        "Writing the report"
    script:
        "../scripts/report.py"
