# Reads the configuration once. Scripts may read it too, but a key reruns only the rules that name it in their params:
# these say what a result depends on, and no more.
import sys
from pathlib import Path

from mtlaerial.errors import UserError
from mtlaerial.project import Project

try:
    project = Project.of(config)
except UserError as error:
    raise WorkflowError(str(error)) from None

RESULTS = project.config.results.as_posix()
RUN = RESULTS + "/{dataset}/runs/{method}/seed{seed}"
TILE = RESULTS + "/{dataset}/tiles/{tile}"
CHECK = RESULTS + "/{dataset}/checks/{tile}.json"
LAYERS = ("image", "height", "labels")


wildcard_constraints:
    dataset="|".join(project.datasets),
    method="|".join(project.config.run.methods),
    seed=r"\d+",
    tile=r"[^/]+",


def tile_files(split):
    """Return an input function: the prepared layers of a split's tiles."""

    def files(wildcards):
        tiles = project.datasets[wildcards.dataset].spec.splits.get(split, ())
        return expand(TILE + "/{layer}.tif", dataset=wildcards.dataset, tile=tiles, layer=LAYERS)

    return files


def wanted(wildcards):
    """Return the final files; first of all, say what is missing to make them."""
    missing = project.missing()
    if missing:
        sys.exit(missing)
    return [f"{RESULTS}/tables", f"{RESULTS}/report.html", *figure_files()]
