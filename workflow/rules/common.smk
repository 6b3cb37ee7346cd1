# The only reader of the configuration: scripts get `params`. A changed key repeats the jobs whose `decisive` values it
# changes; mtlaerial.config.stages lists keys and rules.
import sys
from pathlib import Path

from mtlaerial.config import LAYERS, PREPARED_LAYERS, merge, typed_scalars
from mtlaerial.config.recipe_overlay import merge_files, names_recipes
from mtlaerial.datasets.buffer import held_out_of
from mtlaerial.errors import UserError
from mtlaerial.pipeline.finished_rows import find_rows
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.project_starts import check_starts, start_of
from mtlaerial.pipeline.context_params import Context
from mtlaerial.pipeline.decisive_params import Decisive
from mtlaerial.pipeline.run_keys import run_keys
from mtlaerial.pipeline.unscored import require_scored, unscored_notes
from mtlaerial.pipeline.view_notes import view_notes
from snakemake.logging import logger

try:
    # Snakemake lists the file of the directive `configfile` after those of the command line, which win over it.
    OVERLAYS = [Path(file) for file in workflow.overwrite_configfiles]
    FILES = [Path(file) for file in workflow.configfiles[len(OVERLAYS) :]] + OVERLAYS
    options = typed_scalars(dict(workflow.config_settings.config))
    merged = merge_files(FILES, options)  # Snakemake's own reader takes the last of two equal keys
    project = Project.of(merged if names_recipes(merged) else merge(config, options))
    PENDING = {mark: archive for mark, archive in project.archives.items() if archive.pending}
    for archive in PENDING.values():
        archive.require_place()
    project.require_one_place()
    ROWS = find_rows(project)
except UserError as error:
    raise WorkflowError(str(error)) from None

CHECK = "<results>/{dataset}/checks/{tile}.json"
TILE = "<results>/{dataset}/tiles/{tile}"
RUN = "<results>/{dataset}/runs/{method}/seed{seed}"
RATE = "<results>/{dataset}/rates/{method}.json"
FIGURES = "<results>/figures/{dataset}"
FINISHED = "<results>/{dataset}/finished/{method}/seed{seed}/scores.json"


pathvars:
    results=project.config.results.as_posix(),
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",
    check=CHECK,
    tile=TILE,
    run=RUN,
    figures=FIGURES,


def decisive_params(rule):
    """Return a params function: the values whose change repeats a job of a rule."""
    return lambda wildcards: getattr(Decisive(project), rule)(**dict(wildcards.items()))


def context_params(rule):
    """Return a params function: everything that a script reads besides; its change repeats no job.

    What decides a result must be in `decisive` too, which is recorded and compared."""
    # Snakemake leaves functions of `input` out of the params that it records and compares.
    return lambda wildcards, input: getattr(Context(project), rule)(**dict(wildcards.items()))


def raw_files(wildcards):
    """Return the raw files of a tile; for a generated data set its mark.

    A file from an archive is replaced by the mark of the archive, also when the archive is gone: deleting it then
    prepares no tile again."""
    return raw_layers(wildcards.dataset, [wildcards.tile], PREPARED_LAYERS)


def raw_layers(name, tiles, layers):
    """Return the raw files of some layers of some tiles, or what stands for them."""
    entry = project.config.datasets[project.source(name)]
    if entry.generate:
        return f"{entry.root.as_posix()}/GENERATED.txt"
    dataset = project.dataset(name)
    files = [path for tile in tiles for layer in layers for path in dataset.files(layer, tile)]
    return list(dict.fromkeys(dataset.provided.get(path, path) for path in files))


def held_out_images(wildcards):
    """Return the raw images of the validation and test tiles."""
    return raw_layers(wildcards.dataset, tiles_of(wildcards.dataset, "val", "test"), ["image"])


def tile_files(*splits, layers=LAYERS):
    """Return an input function: the prepared layers of all tiles of some splits, and the records that verify them."""

    def files(wildcards):
        names, files = [*(f"{layer}.tif" for layer in layers), "tile.json"], []
        for tile in tiles_of(wildcards.dataset, *splits):
            source = project.tile_source(wildcards.dataset, tile)
            files += expand(f"{TILE}/{{name}}", dataset=source, tile=tile, name=names)
        return files

    return files


def tiles_of(dataset, *splits):
    """Return the tiles of some splits of a data set or a fold."""
    listed = project.datasets[dataset].spec.splits
    return [tile for split in splits for tile in listed.get(split, ())]


def checks_of(dataset, tiles):
    """Return the checks of tiles, which all folds of a data set share."""
    return expand(CHECK, dataset=project.source(dataset), tile=tiles)


def checked_splits(wildcards):
    """Return the check of a data set's splits or areas."""
    return expand("<results>/{dataset}/checks.json", dataset=project.source(wildcards.dataset))


def held_out_places(wildcards):
    """Return the file with the places of tiles held out, for a tile that a buffer keeps away from some."""
    held_out = held_out_of(project.dataset(wildcards.dataset), wildcards.tile)
    return "<results>/{dataset}/held_out.jsonl" if held_out else []


def pretrained_weights(wildcards):
    """Return the initial weights of a training; none if they are random."""
    start = start_of(project, wildcards.method)
    # A run's description is no `ancient` input: that would hide changed params from a plan that writes it anew.
    return [path.as_posix() for path in start.inputs] if start else []


def training_rate(wildcards):
    """Return the rate by which the budget of a training becomes a number of updates; none without a budget."""
    budget = project.recipe(wildcards.dataset, wildcards.method).training.budget
    if budget is None:
        return []
    return budget.rate.as_posix() if budget.rate else RATE


def trained_file(name):
    """Return an input function: a file of the run whose weights a method uses."""

    def file(wildcards):
        trained = project.weights_of(wildcards.dataset, wildcards.method)
        (path,) = expand(f"{RUN}/{name}", dataset=wildcards.dataset, method=trained, seed=wildcards.seed)
        return path

    return file


def network_files(name):
    """Return an input function: a file of the run; of an ensemble, of each of its members."""

    def files(wildcards):
        dataset, method, seed = wildcards.dataset, wildcards.method, int(wildcards.seed)
        runs = project.source_runs(dataset, method, seed) if is_ensemble(method) else [(method, seed)]
        return [path for member, number in runs for path in run_file(dataset, member, number, name)]

    return files


def run_file(dataset, method, seed, name):
    return expand(f"{RUN}/{name}", dataset=dataset, method=method, seed=seed)


def is_ensemble(method):
    return project.config.methods[method].ensemble is not None


def seeds_here(dataset, method):
    """Return the seeds of a method whose runs are made here; those of finished rows are not."""
    return [seed for seed in project.config.seeds(method) if (dataset, method, seed) not in ROWS.taken]


def run_files(name, most=None):
    """Return an input function: a file of each run of a method that is made here, or of the first of them."""
    return lambda w: run_file(w.dataset, w.method, seeds_here(w.dataset, w.method)[:most], name)


def histories(wildcards):
    """Return the history of each run of a method; an ensemble has none."""
    return [] if is_ensemble(wildcards.method) else run_files("history.csv")(wildcards)


def models_of_seeds(wildcards):
    """Return the weights of each run of a method; those of an ensemble are its members'."""
    dataset, method = wildcards.dataset, wildcards.method
    if not is_ensemble(method):
        return run_files("model.safetensors")(wildcards)
    runs = [run for seed in seeds_here(dataset, method) for run in project.source_runs(dataset, method, seed)]
    return [path for run in runs for path in run_file(dataset, *run, "model.safetensors")]


def files_of(run, name):
    """Return a file of each run of a data set with a method that is made here, one per seed."""
    dataset, method = run
    return run_file(dataset, method, seeds_here(dataset, method), name)


def score_files(wildcards):
    """Return the scores of every selected run, those of finished rows too."""
    paths = []
    for dataset, method in project.runs():
        for seed in project.config.seeds(method):
            place = FINISHED if (dataset, method, seed) in ROWS.taken else f"{RUN}/scores.json"
            paths += expand(place, dataset=dataset, method=method, seed=seed)
    return paths


def description_files(wildcards):
    """Return the description of every selected run that is made here."""
    return [path for run in project.runs() for path in files_of(run, "run.yaml")]


def cost_files(wildcards):
    """Return the costs of the selected methods that are trained, and of the members of ensembles."""
    trained, shown = set(project.trainings()), []
    for dataset, method in project.runs():
        sources = project.sources_of(dataset, method) if is_ensemble(method) else (method,)
        shown += [(dataset, source) for source in sources if (dataset, source) in trained]
    return [path for run in dict.fromkeys(shown) for path in files_of(run, "cost.json")]


def figure_files(wildcards):
    """Return the figures of the selection: the positions of the tiles, and a folder for each method."""
    layouts = expand(f"{FIGURES}/tiles.png", dataset=project.datasets)
    for dataset in project.datasets:
        methods = [method for method in project.methods(dataset) if seeds_here(dataset, method)]
        layouts += expand(f"{FIGURES}/{{method}}", dataset=dataset, method=methods)
    return layouts


def gpus(wildcards):
    """Return the number of GPUs of a training or its prediction; an ensemble needs one that all members may use."""
    return 0 if any(training.accelerator == "cpu" for training in trainings_of(wildcards)) else 1


def torch_threads(wildcards):
    """Return torch's threads of a training or its prediction; of an ensemble the most of its members."""
    return max(training.threads for training in trainings_of(wildcards))


def trainings_of(wildcards):
    dataset, method = wildcards.dataset, wildcards.method
    sources = project.sources_of(dataset, method) if is_ensemble(method) else (method,)
    return [project.recipe(dataset, source).training for source in sources]


def all_cores(wildcards):
    """Return the number of cores of this machine's workflow; on a cluster those of the trainings that are timed."""
    try:
        return workflow.cores
    except WorkflowError:  # on a cluster without --cores
        return project.recipe(wildcards.dataset, wildcards.method).training.threads_at_once


def growing(megabytes):
    """Return a resource function: memory that grows by the same amount with each attempt."""
    return lambda wildcards, attempt: megabytes * attempt


def wanted(wildcards):
    """Return the final files; exit with a message on wrong options of weightings, missing raw files, or runs that
    could not be scored."""
    try:
        project.check_weightings()
        check_starts(project)
        if missing := project.missing():
            sys.exit(missing)
        require_scored(project)
    except UserError as error:
        sys.exit(str(error))
    views = dict.fromkeys(note for name in project.sources for note in view_notes(project, name))
    for note in [*project.notes(), *views, *unscored_notes(project), *ROWS.notes]:
        logger.warning(note)
    return ["<results>/tables", "<results>/report.html", *figure_files(wildcards)]
