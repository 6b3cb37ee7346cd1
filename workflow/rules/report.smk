# Pictures of the results, and one page with everything.
FIGURES = RESULTS + "/figures/{dataset}"


def figure_files():
    """Return the figures of the selection: where the tiles lie, and a folder for each method."""
    layouts = [FIGURES.format(dataset=dataset) + "/tiles.png" for dataset in project.datasets]
    return layouts + [f"{FIGURES.format(dataset=dataset)}/{method}" for dataset, method in project.runs()]


def of_seeds(name):
    """Return an input function: a file of every seed's run of a method."""
    return lambda w: [RUN.format(dataset=w.dataset, method=w.method, seed=s) + name for s in project.config.run.seeds]


def all_tiles(wildcards):
    """Return the prepared layers of all tiles, in the order of the splits."""
    return [file for split in project.datasets[wildcards.dataset].spec.splits for file in tile_files(split)(wildcards)]


rule layout_figure:
    input:
        all_tiles,
    output:
        FIGURES + "/tiles.png",
    log:
        RESULTS + "/logs/{dataset}/layout_figure.log",
    benchmark:
        RESULTS + "/benchmarks/{dataset}/layout_figure.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        data=lambda w: project.layout_data(w.dataset),
    message:
        "Drawing where the tiles of {wildcards.dataset} lie"
    script:
        "../scripts/layout_figure.py"


rule figures:
    input:
        histories=of_seeds("/history.csv"),
        descriptions=of_seeds("/run.yaml"),
        scores=of_seeds("/scores.json"),
        maps=RUN.format(dataset="{dataset}", method="{method}", seed=project.config.run.seeds[0]) + "/maps",
        tiles=tile_files("test"),
    output:
        directory(FIGURES + "/{method}"),
    log:
        RESULTS + "/logs/{dataset}/figures/{method}.log",
    benchmark:
        RESULTS + "/benchmarks/{dataset}/figures/{method}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
        gpu=0,
    params:
        tiles=lambda w: list(project.datasets[w.dataset].spec.splits.get("test", ())),
    message:
        "Drawing curves, confusions and maps of {wildcards.method} on {wildcards.dataset}"
    script:
        "../scripts/figures.py"


rule report:
    input:
        scores=score_files,
        figures=figure_files(),
        checks=expand(RESULTS + "/{dataset}/checks.json", dataset=project.datasets),
    output:
        RESULTS + "/report.html",
    log:
        RESULTS + "/logs/report.log",
    benchmark:
        RESULTS + "/benchmarks/report.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        specs={name: dataset.spec.model_dump(mode="json") for name, dataset in project.datasets.items()},
    message:
        "Writing the report"
    script:
        "../scripts/report.py"
