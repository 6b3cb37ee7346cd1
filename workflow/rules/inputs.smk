# Input functions of the rules.
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

    return lambda wildcards: files_of_tiles(wildcards.dataset, splits, layers)


def files_of_tiles(dataset, splits, layers=LAYERS):
    """Return the prepared layers of all tiles of some splits of a data set, and the records that verify them."""
    names, files = [*(f"{layer}.tif" for layer in layers), "tile.json"], []
    for tile in tiles_of(dataset, *splits):
        source = project.tile_source(dataset, tile)
        files += expand(f"{TILE}/{{name}}", dataset=source, tile=tile, name=names)
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


def run_history(wildcards):
    """Return the history of a run's training; an ensemble has none."""
    return [] if is_ensemble(wildcards.method) else "<run>/history.csv"


def run_calibration(wildcards):
    """Return the calibration of a run; none where it is not configured, or there are no validation tiles."""
    return "<run>/calibration.json" if is_calibrated(project, wildcards.dataset) else []


def run_objects(wildcards):
    """Return the objects of a run's maps; none where they are not configured."""
    return "<run>/objects.gpkg" if has_objects(project, wildcards.dataset, wildcards.method) else []


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
    """Return the scores of every selected run, those of finished rows too; with a data set those on it."""
    paths = []
    chosen = wildcards.get("dataset")
    for dataset, method in project.runs():
        if chosen and project.source(dataset) != chosen:
            continue
        paths += scores_of(dataset, method)
    return paths


def scores_of(dataset, method):
    """Return the scores of a method's runs on a data set, those of finished rows too."""
    paths = []
    for seed in project.config.seeds(method):
        place = FINISHED if (dataset, method, seed) in ROWS.taken else f"{RUN}/scores.json"
        paths += expand(place, dataset=dataset, method=method, seed=seed)
    return paths


def description_files(wildcards):
    """Return the description of every selected run that is made here."""
    return [path for run in project.runs() for path in files_of(run, "run.yaml")]


def cost_files(wildcards):
    """Return the costs of the trainings of selected methods and of members, for the runs that are made here."""
    trained, paths = set(project.trainings()), []
    for dataset, method in project.runs():
        for seed in seeds_here(dataset, method):
            runs = project.source_runs(dataset, method, seed) if is_ensemble(method) else [(method, seed)]
            shown = [run for run in runs if (dataset, run[0]) in trained]
            paths += [path for run in shown for path in run_file(dataset, *run, "cost.json")]
    return list(dict.fromkeys(paths))


def prediction_cost_files(wildcards):
    """Return the costs of the predictions of every selected run that is made here."""
    return [path for run in project.runs() for path in files_of(run, "prediction_cost.json")]


def maps_of_methods(wildcards):
    """Return the maps of the first seed of each selected method and fold that is made here."""
    return [path for run in project.runs() for path in files_of(run, "maps")[:1]]


def tested_tiles(wildcards):
    """Return the prepared test tiles of the methods that are made here."""
    datasets = dict.fromkeys(dataset for dataset, method in project.runs() if seeds_here(dataset, method))
    paths = [path for dataset in datasets for path in files_of_tiles(dataset, ["test"])]
    return list(dict.fromkeys(paths))


def tested_scores(wildcards):
    """Return the scores of the runs on each data set that runs of others are tested on."""
    runs = [run for run in project.runs() if run[0] in tested_sets(project)]
    return [path for dataset, method in runs for path in scores_of(dataset, method)]


def transfer_files(name):
    """Return an input function: a file of each run that is tested on another data set, if it is made here."""

    def files(wildcards):
        return [
            path
            for run in transferred_methods(project)
            for path in expand(f"{ELSEWHERE}/{name}", **run._asdict(), seed=seeds_here(run.dataset, run.method))
        ]

    return files


def figure_files(wildcards):
    """Return the figures of the selection: the positions of the tiles, a folder for each method, and curves."""
    layouts = expand(f"{FIGURES}/tiles.png", dataset=project.datasets)
    for dataset in project.datasets:
        methods = [method for method in project.methods(dataset) if seeds_here(dataset, method)]
        layouts += expand(f"{FIGURES}/{{method}}", dataset=dataset, method=methods)
    if project.config.run.label_efficiency:
        layouts += expand(f"{FIGURES}/label_efficiency.png", dataset=project.sources)
    return layouts + expand(f"{FIGURES}/tradeoff.png", dataset=tradeoffs(project))


def object_files():
    """Return the objects of every selected run that is made here, where they are configured."""
    return [path for run in project.runs() if has_objects(project, *run) for path in files_of(run, "objects.gpkg")]


def wanted(wildcards):
    """Return the final files; exit with a message on wrong options of weightings, missing raw files, or runs that
    could not be scored."""
    # SciPy takes a quarter of a second to import; jobs, which read this file too, need none.
    from mtlaerial.pipeline.power_notes import power_notes

    try:
        project.check_weightings()
        check_starts(project)
        if missing := project.missing():
            sys.exit("\n\n".join([missing, *([summary()] if workflow.dryrun else [])]))
        end_with_summary()
        require_scored(project)
    except UserError as error:
        sys.exit(str(error))
    sources = project.sources
    predictions = [note for name in sources for note in [*ensemble_notes(project, name), *view_notes(project, name)]]
    predictions += [note for name in sources for note in calibration_notes(project, name)]
    predictions += [note for name in sources for note in object_notes(project, name)]
    comparisons = [*unscored_notes(project), *power_notes(project)]
    for note in [*project.notes(), *dict.fromkeys(predictions), *comparisons, *ROWS.notes]:
        logger.warning(note)
    tables = ["<results>/tables", *(["<results>/transfer"] if project.config.run.transfer else [])]
    return [*tables, "<results>/report.html", *figure_files(wildcards), *object_files()]


def summary(planned=None):
    """Return what a run would train: what is planned, or else what is not done."""
    from mtlaerial.pipeline.plan_summary import plan_summary  # which no job needs

    return plan_summary(project, ROWS.taken, planned)


@functools.cache
def end_with_summary():
    """Let a dry run end with a summary of what it would train; Snakemake calls no handlers in one."""

    def show():
        if workflow.scheduler:  # the plan is complete
            jobs = [job for job in workflow.dag.needrun_jobs(exclude_finished=False) if job.rule.name == "train"]
            planned = {(job.wildcards.dataset, job.wildcards.method, int(job.wildcards.seed)) for job in jobs}
            print(summary(planned), file=sys.stderr)

    if workflow.dryrun:
        atexit.register(show)


def kept_rows(wildcards):
    """Return the rows of the runs that are made here; exit with a message where the configuration has no folder."""
    end_with_summary()
    if not ROW:
        sys.exit(
            "finished: found nothing; expected a folder for finished rows. State one: --config finished=docs/data/NAME."
        )
    return [path for run in ROWS.kept for path in expand(ROW, **run._asdict())]


def cost_of_training(wildcards):
    """Return the cost of a run's training; none for another prediction of one, and for an ensemble."""
    return "<run>/cost.json" if (wildcards.dataset, wildcards.method) in project.trainings() else []


def mapped_region(wildcards):
    """Return the index of the mapped region, its objects and polygons; exit with a message without configuration."""
    if not project.config.map:
        sys.exit("map: found no such section; expected a run and images to map. Take config/map.yaml as an example.")
    products = [("objects.gpkg", project.config.map.objects), ("polygons.gpkg", project.config.map.polygons)]
    return [f"{MAP}/collection.json", *(f"{MAP}/{name}" for name, wanted in products if wanted)]
