# Reads the configuration once. Scripts may read it too, but a key reruns only the rules that name it in their params:
# these say what a result depends on, and no more.
import sys

from mtlaerial.config import LAYERS, TILE_LAYERS
from mtlaerial.errors import UserError
from mtlaerial.project import Project

try:
    project = Project.of(config)
except UserError as error:
    raise WorkflowError(str(error)) from None

CHECK = "<results>/{dataset}/checks/{tile}.json"
TILE = "<results>/{dataset}/tiles/{tile}"
RUN = "<results>/{dataset}/runs/{method}/seed{seed}"
FIGURES = "<results>/figures/{dataset}"


pathvars:
    results=project.config.results.as_posix(),
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",
    check=CHECK,
    tile=TILE,
    run=RUN,
    figures=FIGURES,


wildcard_constraints:
    dataset="|".join(project.datasets),
    method="|".join(sorted({*project.config.run.methods, *project.config.trained})),
    seed=r"\d+",
    tile=r"[^/]+",


def raw_files(wildcards):
    """Return the raw files of a tile, or the mark of a generated data set."""
    entry = project.config.datasets[wildcards.dataset]
    if entry.generate:
        return f"{entry.root.as_posix()}/GENERATED.txt"
    dataset = project.datasets[wildcards.dataset]
    return [path for layer in TILE_LAYERS for path in dataset.files(layer, wildcards.tile)]


def tile_files(*splits, layers=LAYERS):
    """Return an input function: prepared layers of the tiles of splits."""

    def files(wildcards):
        spec = project.datasets[wildcards.dataset].spec
        tiles = [tile for split in splits for tile in spec.splits.get(split, ())]
        return expand(f"{TILE}/{{layer}}.tif", dataset=wildcards.dataset, tile=tiles, layer=layers)

    return files


def run_files(name, seeds=project.config.run.seeds):
    """Return an input function: a file of the runs of a method, one per seed."""
    return lambda w: expand(f"{RUN}/{name}", dataset=w.dataset, method=w.method, seed=seeds)


def score_files(wildcards):
    """Return the scores of every selected run."""
    run = project.config.run
    return expand(f"{RUN}/scores.json", dataset=project.datasets, method=run.methods, seed=run.seeds)


def figure_files(wildcards):
    """Return the figures of the selection: where the tiles lie, and a folder for each method."""
    layouts = expand(f"{FIGURES}/tiles.png", dataset=project.datasets)
    return layouts + expand(f"{FIGURES}/{{method}}", dataset=project.datasets, method=project.config.run.methods)


def wanted(wildcards):
    """Return the final files; first of all, say what is missing to make them."""
    if missing := project.missing():
        sys.exit(missing)
    return ["<results>/tables", "<results>/report.html", *figure_files(wildcards)]
